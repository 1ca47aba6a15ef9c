"""`ewms.toml` is read, its mistakes are told in one line, and its secrets stay where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.config_file import read_configuration
from ewms.core.errors import InputError

WRONG = [
    ('[service]\nbrokr = "x"', "unknown key 'service.brokr'; did you mean 'broker'?"),
    ("[serv]\nlease = 2", "unknown key 'serv'; did you mean 'service'?"),
    ("[owners.ada]\nweigh = 2", "unknown key 'owners.ada.weigh'; did you mean 'weight'?"),
    ("service = 3", "service: Input should be a valid dictionary"),
    ("[service]\nlease = 0.1", "service.lease: Input should be greater than or equal to 0.5"),
    ('[service]\nbroker = "nats://me:s3cret@host"', "write file:/path/of/a/file or env:NAME"),
    ('[service]\nbroker = "env:EWMS_NO_SUCH"', "the environment has no variable EWMS_NO_SUCH"),
    ('[service]\nbroker = "file:relative"', "is relative"),
    ('[service]\nbroker = "file:/no/such"', "service.broker: "),
    ('[service]\nlisten = "8080"', "write host:port"),
    ('[service]\nlisten = "host:99999"', "write host:port"),
    ('[service]\ncertificate = "/c.pem"', "certificate and key go together"),
    ('[webhooks]\nsecret = "word"', "a secret is not written here"),
    ('[webhooks]\nallow = ["10.0.0.1/8"]', "webhooks.allow.0"),
    ('[clusters."a b"]\nbackend = "local"', "is not a name"),
    ("[clusters.a]\nmax_workers = 3", "key 'clusters.a.backend' is missing"),
    ("[clusters", "is not valid TOML"),
]


def write(folder: Path, text: str) -> Path:
    path = folder / "ewms.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_a_mistake_is_one_line_without_secrets(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_configuration(write(tmp_path, text))
    message = str(caught.value)
    assert words in message
    assert str(tmp_path / "ewms.toml") in message
    assert "s3cret" not in message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read: No such file"):
        read_configuration(tmp_path / "none.toml")


def test_a_process_that_needs_no_secrets_does_not_read_them(tmp_path: Path) -> None:
    text = (
        '[service]\nbroker = "file:/of/somebody/else"\nstore = "env:EWMS_NO_SUCH"\n'
        '[access.nats]\naccount = "file:/of/somebody/else"\n[clusters.here]\nbackend = "local"\n'
    )
    configuration = read_configuration(write(tmp_path, text), secrets=False)
    assert list(configuration.clusters) == ["here"]
    with pytest.raises(InputError, match="EWMS_NO_SUCH"):
        read_configuration(write(tmp_path, text))


def test_secrets_come_from_files_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "broker.url"
    secret.touch(mode=0o600)
    secret.write_text("nats://me:s3cret@host\n")
    monkeypatch.setenv("EWMS_TEST_STORE", "mongodb://me:s3cret@host/ewms")
    configuration = read_configuration(
        write(tmp_path, f'[service]\nbroker = "file:{secret}"\nstore = "env:EWMS_TEST_STORE"')
    )
    assert configuration.service.broker is not None
    assert configuration.service.broker.get_secret_value() == "nats://me:s3cret@host"
    assert configuration.service.store_url == "mongodb://me:s3cret@host/ewms"
    assert "s3cret" not in repr(configuration)


def test_what_is_left_out_lies_in_the_data_folder(tmp_path: Path) -> None:
    configuration = read_configuration(write(tmp_path, '[service]\ndata = "d"'), port=9000)
    service = configuration.service
    assert service.data == tmp_path / "d", "relative to the file"
    assert (service.store_url, service.files_url) == (str(tmp_path / "d/store.sqlite"), str(tmp_path / "d/files"))
    assert service.public_url == "http://127.0.0.1:9000"
    assert read_configuration(write(tmp_path, ""), data=tmp_path / "other").service.data == tmp_path / "other"


def test_an_address_may_be_of_six(tmp_path: Path) -> None:
    service = read_configuration(write(tmp_path, '[service]\nlisten = "[::1]:8080"'), port=1).service
    assert (service.listen, service.address) == ("[::1]:1", ("::1", 1))


@pytest.mark.parametrize(("backends", "is_here"), [((), True), (("local",), True), (("local", "htcondor"), False)])
def test_large_bodies_lie_here_where_all_pilots_are(tmp_path: Path, backends: tuple[str, ...], is_here: bool) -> None:
    tables = "".join(f'[clusters.c{number}]\nbackend = "{name}"\n' for number, name in enumerate(backends))
    configuration = read_configuration(write(tmp_path, tables), data=tmp_path)
    assert configuration.blobs_url == (str(tmp_path / "blobs") if is_here else "")


def test_the_rest_of_a_cluster_is_its_backend_s(tmp_path: Path) -> None:
    table = '[clusters.pool]\nbackend = "htcondor"\naliases = ["osg"]\nschedd = "ap1.example.org"\npilot = {kind = "image"}'
    cluster = read_configuration(write(tmp_path, table)).clusters["pool"]
    assert (cluster.aliases, cluster.schedd) == (("osg",), "ap1.example.org")
    assert cluster.options == {"schedd": "ap1.example.org", "pilot": {"kind": "image"}}


def test_an_owner_has_what_all_have_but_for_what_is_said(tmp_path: Path) -> None:
    tables = '[quotas]\nworkflows = 3\nupload = "1 GB"\n[owners.ada]\nworkflows = 9\nweight = 2.0'
    configuration = read_configuration(write(tmp_path, tables))
    assert configuration.quota_of("ada").model_dump() == {"workflows": 9, "workers": None, "upload": 10**9}
    assert configuration.quota_of("bob").workflows == 3
