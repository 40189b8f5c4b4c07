from tests.strategies import scenarios
def test_a(): assert scenarios
