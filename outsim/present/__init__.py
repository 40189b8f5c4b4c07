"""The report: one page that answers the five questions, for people who run nothing themselves."""
