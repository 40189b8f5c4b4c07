import tests.theory.test_erlang as E
import numpy as np
from outsim.result import simulate as real
def test_z(monkeypatch):
    for s in (11,12,13,14):
        monkeypatch.setattr(E,"simulate",lambda sc,seed,replication: real(sc,seed=s,replication=replication))
        c=E.refusals_against_erlang_b(1,.7,count=40,calls=8000); print(c, (c.mean-c.theory)/c.error)
