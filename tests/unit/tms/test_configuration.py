"""What a TMS takes from `ewms.toml`, and what it says of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.config_file import read_configuration
from ewms.core.errors import InputError
from ewms.core.service.configuration import Configuration
from ewms.tms.backends.local import LocalBackend, LocalSettings
from ewms.tms.configuration import setups_of

HERE = '[clusters.here]\nbackend = "local"\n'
THERE = '[clusters.there]\nbackend = "local"\n'


def configured(tmp_path: Path, clusters: str) -> Configuration:
    path = tmp_path / "ewms.toml"
    path.write_text(f'[service]\nurl = "https://ewms.example.org/"\ndata = "data"\n{clusters}')
    return read_configuration(path)


def test_a_cluster_with_its_backend_and_its_folder(tmp_path: Path) -> None:
    configuration = configured(
        tmp_path,
        '[clusters.here]\nbackend = "local"\nmax_workers = 3\npilots_survive = false\n[clusters.there]\nbackend = "local"',
    )
    here, there = setups_of(configuration)
    assert here.backend is LocalBackend
    assert here.settings == LocalSettings(max_workers=3, pilots_survive=False)
    assert here.folder == tmp_path / "data" / "tms" / "here"
    assert here.owner == "https://ewms.example.org/here"
    assert there.settings == LocalSettings()
    assert [setup.name for setup in setups_of(configuration, ["there"])] == ["there"]


@pytest.mark.parametrize(
    ("clusters", "names", "words"),
    [
        ("", (), "there is no cluster to run; the configuration has none; add a table"),
        (HERE, ("hear",), "there is no cluster 'hear'; the configuration has here"),
        (HERE.replace("local", "lokal"), (), "clusters.here: backend = 'lokal' is unknown; use one of htcondor, local"),
        (HERE + "pilot_survives = true", (), "clusters.here: unknown key 'pilot_survives'; did you"),
        (HERE + "pilots_survive = 'maybe'", (), "clusters.here: pilots_survive: "),
    ],
)
def test_mistakes_are_named_in_one_line(tmp_path: Path, clusters: str, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputError) as caught:
        setups_of(configured(tmp_path, clusters), names)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://ewms.example.org", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("http://0.0.0.0:8080", True),
        ("http://ewms.example.org", False),
        ("http://192.0.2.7:8080", False),
    ],
)
def test_a_token_is_not_shown_to_the_network(tmp_path: Path, url: str, is_safe: bool) -> None:
    configuration = configured(tmp_path, HERE)
    configuration = configuration.model_copy(update={"service": configuration.service.model_copy(update={"url": url})})
    if is_safe:
        assert [setup.service_url for setup in setups_of(configuration)] == [url]
        return
    with pytest.raises(InputError, match="http would show the token to the network; use https"):
        setups_of(configuration)
