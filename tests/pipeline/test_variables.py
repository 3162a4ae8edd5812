"""Variables that others set, that are misspelt, and that name a file."""

from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.errors import Misconfigured

SERVICE_LINKS = {
    "TOCSIN_SERVICE_HOST": "10.0.0.11",
    "TOCSIN_SERVICE_PORT": "8090",
    "TOCSIN_SERVICE_PORT_HTTP": "8090",
    "TOCSIN_PORT": "tcp://10.0.0.11:8090",
    "TOCSIN_PORT_8090_TCP": "tcp://10.0.0.11:8090",
    "TOCSIN_PORT_8090_TCP_PROTO": "tcp",
    "TOCSIN_PORT_8090_TCP_PORT": "8090",
    "TOCSIN_PORT_8090_TCP_ADDR": "10.0.0.11",
    "TOCSIN_WEB_SERVICE_HOST": "10.0.0.12",
    "TOCSIN_WEB_SERVICE_PORT": "80",
    "TOCSIN_WEB_PORT": "tcp://10.0.0.12:80",
    "TOCSIN_WEB_PORT_80_TCP": "tcp://10.0.0.12:80",
    "TOCSIN_WEB_PORT_80_TCP_ADDR": "10.0.0.12",
}
"""What Kubernetes sets in each container for services `tocsin` and `tocsin-web`; see
kubernetes.io/docs/concepts/services-networking/service, Environment variables."""


def test_what_kubernetes_sets_for_services_of_our_name_is_no_setting() -> None:
    assert settings_of(SERVICE_LINKS) == Settings()
    assert settings_of({**SERVICE_LINKS, "TOCSIN_WEB_PORT": "8095"}).web_port == 8095


def test_others_variables_are_theirs() -> None:
    assert settings_of({"KAFKA": "elsewhere:1", "tocsin_kafka": "elsewhere:1"}) == Settings()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TOCSIN_KAKFA", "TOCSIN_KAFKA"),
        ("TOCSIN_KAFKA_PASSWROD", "TOCSIN_KAFKA_PASSWORD"),
        ("TOCSIN_SIGNINGKEY", "TOCSIN_SIGNING_KEY"),
        ("TOCSIN_CLICKHOUSE_PASSWORD_FIEL", "TOCSIN_CLICKHOUSE_PASSWORD"),
        ("TOCSIN_WEB_PORTS", "TOCSIN_WEB_PORT"),
    ],
)
def test_what_is_misspelt_is_said_with_what_may_be_meant(name: str, meant: str) -> None:
    said = rf"^{name} can't be used: there is no such setting; do you mean {meant}\?"
    with pytest.raises(Misconfigured, match=said):
        settings_of({name: "1"})


def test_what_is_like_nothing_is_said_alone() -> None:
    said = r"^TOCSIN_QQQQ can't be used: there is no such setting\. Nothing was started\.$"
    with pytest.raises(Misconfigured, match=said):
        settings_of({"TOCSIN_QQQQ": "1"})


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    """With the line break that editors and `kubectl create secret --from-file` leave at its end."""
    file = tmp_path / "password"
    file.write_text(" two words \n")
    found = settings_of({"TOCSIN_KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "TOCSIN_KAFKA_USER": "a",
                         "TOCSIN_KAFKA_PASSWORD_FILE": str(file)})  # fmt: skip
    assert found.kafka_password.get_secret_value() == " two words "


def test_a_setting_of_a_file_is_the_file(tmp_path: Path) -> None:
    found = settings_of({"TOCSIN_SMTP_CA_FILE": str(tmp_path / "ca.pem")})
    assert found.smtp_ca_file == tmp_path / "ca.pem"


def test_files_of_secrets_that_can_not_be_used(tmp_path: Path) -> None:
    name = "TOCSIN_SIGNING_KEY_FILE"
    missing, binary = tmp_path / "missing", tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for file in (missing, binary, tmp_path):
        with pytest.raises(Misconfigured, match=rf"^{name} can't be used: .* can't be read"):
            settings_of({name: str(file)})
    (tmp_path / "key").write_text("secret")
    with pytest.raises(Misconfigured, match=rf"^{name} can't be used: TOCSIN_SIGNING_KEY is set"):
        settings_of({name: str(tmp_path / "key"), "TOCSIN_SIGNING_KEY": "another"})


def test_what_is_no_secret_has_no_file() -> None:
    with pytest.raises(Misconfigured, match="there is no such setting"):
        settings_of({"TOCSIN_KAFKA_USER_FILE": "user"})


@pytest.mark.parametrize(
    "kafka", ["", ",", "localhost", "PLAINTEXT://h:9092", "h:port", "::1:9", "h:9,i"]
)
def test_what_is_no_list_of_brokers(kafka: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"^TOCSIN_KAFKA can't be used: .* is no address as host"
    ):
        settings_of({"TOCSIN_KAFKA": kafka})


def test_brokers_are_listed_as_people_write_them() -> None:
    found = settings_of({"TOCSIN_KAFKA": "a.example:1, [::1]:2 ,10.0.0.1:3,"})
    assert found.brokers.listed == ["a.example:1", "[::1]:2", "10.0.0.1:3"]
