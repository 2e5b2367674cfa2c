"""The first minutes on a new card, tried here on the CPU."""

import json

from benchmarks.first_minutes import main


def test_it_runs_says_what_it_left_out_and_writes_what_it_found(tmp_path, capsys):
    out = tmp_path / "found.json"
    found = main(["--device", "cpu", "--seconds", "4", "--out", str(out)])
    written = json.loads(out.read_text())
    assert {name: written[name] for name in found} == found
    assert {row["right"] for row in found["correct"]} == {"True"}
    assert {row["same"] for row in found["repeats"]} <= {"True"}
    assert max(row["error"] for row in found["correct"]) < 1e-10  # both are the CPU
    assert written["left_out"] > 0
    assert f"{written['left_out']} rows left out" in capsys.readouterr().out
    assert written["provenance"]["versions"]["torch"]
