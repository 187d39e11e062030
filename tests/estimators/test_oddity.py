from estimators.oddity import Oddity, worst_first


def odd(feature, p, **rest):
    return Oddity(feature, "mV", 1.0, 2.0, 3.0, p, "below", "step", **rest)


def test_each_feature_is_told_once_with_its_graver_finding_worst_first():
    found = (odd("rest", 1e-4), odd("sag", 1e-5), odd("rest", 1e-7), odd("peak", 0.1, is_off=False))
    assert [(each.feature, each.p) for each in worst_first(found)] == [("rest", 1e-7), ("sag", 1e-5)]
    assert len(worst_first(tuple(odd(str(k), 1e-4) for k in range(9)))) == 5


def test_where_none_is_off_the_farthest_alone_is_left():
    calm = (odd("rest", 0.2, is_off=False), odd("sag", 0.02, is_off=False))
    assert [each.feature for each in worst_first(calm)] == ["sag"]
    assert worst_first(()) == ()
