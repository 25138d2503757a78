from __future__ import annotations

import json

from harness.calibration.calibrate import RATES, calibrate, client_ceiling, open_loop_ceiling


def test_ceilings_are_rates():
    assert client_ceiling(rounds=1) > 0
    assert open_loop_ceiling(rounds=1) > 0


def test_a_quick_calibration_has_every_figure_and_is_json():
    found = json.loads(json.dumps(calibrate(quick=True), allow_nan=False))
    assert set(found) == {
        "cpu",
        "cores",
        "clock",
        "closed_loop",
        "client_ceiling",
        "send_lateness_us",
        "sleep_overshoot_us",
        "noise",
        "calibration_s",
    }
    assert found["cores"] >= 1
    assert found["clock"]["smallest_step_ns"] > 0
    for name in ("bare_us", "guarded_us", "ours_us", "ours_2_processes_us"):
        assert found["closed_loop"][name] > 0
    assert set(found["send_lateness_us"]) == set(map(str, RATES))
    for percentiles in (*found["send_lateness_us"].values(), found["sleep_overshoot_us"]):
        assert 0 <= percentiles["p50"] <= percentiles["p99"] <= percentiles["p999"]
    assert found["noise"]["oversleep_p99_us"] <= found["noise"]["oversleep_max_us"]
