"""The plan of a run: a scenario and a tape, resolved into integers.

Everything that needs a calendar, a name, a unit or a distribution is settled
here. An engine gets a plan and nothing else, and adds only mechanics.
"""

from outsim.plan.building import build_plan, build_sibling, build_submitted, numbered
from outsim.plan.campaigns import CampaignPlan, CampaignRules
from outsim.plan.model import (
    EndpointPlan,
    OutagePlan,
    Plan,
    PlatformPlan,
    SuspensionPlan,
    TenantPlan,
    of_own_discipline,
)

__all__ = [
    "CampaignPlan",
    "CampaignRules",
    "EndpointPlan",
    "OutagePlan",
    "Plan",
    "PlatformPlan",
    "SuspensionPlan",
    "TenantPlan",
    "build_plan",
    "build_sibling",
    "build_submitted",
    "numbered",
    "of_own_discipline",
]
