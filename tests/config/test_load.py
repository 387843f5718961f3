"""Settings: where values come from, which wins, and what is said when one cannot be used."""

from pathlib import Path

import pytest

from hongyan.config import Settings, SettingsError, load, variable


def file(folder: Path, text: str) -> Path:
    path = folder / "hongyan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(**given: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**given)  # type: ignore[arg-type]
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    assert load() == Settings()


def test_the_file_is_under_the_environment_and_that_under_the_flags(tmp_path: Path) -> None:
    toml = file(tmp_path, 'domain = "file.example"\n[http]\nlisten = "127.0.0.1:1"\nmax_body = 2_000_000\n')
    environment = {"HONGYAN_HTTP_LISTEN": "127.0.0.1:2", "HONGYAN_DOMAIN": "environment.example", "PATH": "/bin"}
    found = load(toml, environment, {"http.listen": "127.0.0.1:3", "domain": None})
    assert found.http.listen == "127.0.0.1:3"
    assert found.domain == "environment.example"
    assert found.http.max_body == 2_000_000
    assert found.limits == Settings().limits


def test_every_type_can_be_written_in_a_variable() -> None:
    found = load(
        environment={
            "HONGYAN_DATA": "/srv/hongyan",
            "HONGYAN_HTTP_CERTIFICATE": "/etc/c.pem",
            "HONGYAN_HTTP_KEY": "/etc/k.pem",
            "HONGYAN_HTTP_ORIGINS": "https://a.example, http://b.example:8080",
            "HONGYAN_HTTP_COMPRESSION": "false",
            "HONGYAN_LIMITS_SENDS_PER_SECOND": "2.5",
            "HONGYAN_LIMITS_SENDS_BURST": "7",
            "HONGYAN_LOGGING_LEVEL": "debug",
        }
    )
    assert found.data == Path("/srv/hongyan")
    assert found.http.certificate == Path("/etc/c.pem")
    assert found.http.origins == ("https://a.example", "http://b.example:8080")
    assert found.http.compression is False
    assert found.limits.sends_per_second == 2.5
    assert found.limits.sends_burst == 7
    assert found.logging.level == "debug"


def test_an_empty_variable_unsets_what_can_be_unset(tmp_path: Path) -> None:
    toml = file(tmp_path, '[http]\ncertificate = "c"\nkey = "k"\norigins = ["https://a.example"]\n')
    found = load(toml, {"HONGYAN_HTTP_CERTIFICATE": "", "HONGYAN_HTTP_KEY": "", "HONGYAN_HTTP_ORIGINS": ""})
    assert (found.http.certificate, found.http.key, found.http.origins) == (None, None, ())


def test_a_whole_number_is_good_where_a_fraction_may_stand(tmp_path: Path) -> None:
    assert load(file(tmp_path, "[limits]\nsends_per_second = 3\n")).limits.sends_per_second == 3.0


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[http]\nlisen = "x"\n', ["http.lisen", "did you mean http.listen?"]),
        ("[htpp]\nmax_body = 4\n", ["htpp"]),
        ("speed = 4\n", ["speed", "docs/reference/settings.md"]),
        ("http = 4\n", ["http", "expected a table [http]"]),
        ('[http]\nmax_body = "4000"\n', ["http.max_body", "expected int", "'4000'"]),
        ("[limits]\nsends_burst = 0\n", ["limits.sends_burst", ">= 1", "not 0"]),
        ("[limits]\nsends_burst = true\n", ["limits.sends_burst", "expected int"]),
        ("[limits]\nsends_per_second = -1.0\n", ["limits.sends_per_second", "> 0"]),
        ("[limits]\nsends_per_second = inf\n", ["limits.sends_per_second", "finite"]),
        ("[limits]\nsends_per_second = nan\n", ["limits.sends_per_second"]),
        ('[logging]\nlevel = "loud"\n', ["logging.level", "debug, info, warning, error", "'loud'"]),
        ('[http]\nlisten = "8440"\n', ["http.listen", "HOST:PORT", "'8440'"]),
        ("data = 4\n", ["data", "path", "not 4"]),
        ('data = ""\n', ["data", "path"]),
        ('[http]\norigins = ["*"]\n', ["http.origins", "'*'"]),
        ('[http]\norigins = ["https://a.example/"]\n', ["http.origins", "without a path"]),
        ('[embed]\norigins = ["https://例子.cn"]\n', ["embed.origins", "例子"]),
        ('[embed]\norigins = ["https://a;script-src"]\n', ["embed.origins", "script-src"]),
        ('[http]\norigins = "https://a.example"\n', ["http.origins", "expected array"]),
        ('[http]\ntrusted_proxies = ["proxy"]\n', ["http.trusted_proxies", "'proxy'"]),
        ('[http]\ncertificate = "c"\n', ["http.certificate", "http.key is needed"]),
        ('[http]\nkey = "c"\n', ["http.key", "http.certificate is needed"]),
        ('[xmpp]\ns2s_deny = ["Evil.example"]\n', ["xmpp.s2s_deny", "Evil.example"]),
        ('[xmpp]\ns2s_allow = ["*.example"]\n', ["xmpp.s2s_allow", "*.example"]),
        ('[xmpp]\nrooms = "the rooms"\n', ["xmpp.rooms", "the rooms"]),
        ('[xmpp]\nupload = "Files"\n', ["xmpp.upload", "Files"]),
        ('[xmpp]\nupload = "rooms"\n', ["xmpp.upload", "rooms"]),
        ('[http]\nurl = "https://chat.example.org/"\n', ["http.url", "without a path"]),
        ('[http]\nurl = "ws://chat.example.org"\n', ["http.url", "https://HOST"]),
        ("[http]\nmax_body = 1_024\n", ["http.max_body", "limits.message_bytes"]),
        ("[limits]\nframe_bytes = 65_536\n", ["limits.frame_bytes", "limits.message_bytes"]),
        ('domain = "Example.org"\n', ["domain", "lower case"]),
        ('domain = "a_b"\n', ["domain"]),
        ("[identity]\niterations = 10\n", ["identity.iterations", ">= 4096"]),
    ],
)
def test_a_wrong_value_in_the_file_is_named_with_what_it_should_be(tmp_path: Path, toml: str, told: list[str]) -> None:
    path = file(tmp_path, toml)
    text = refused(file=path)
    assert str(path) in text
    assert [part for part in told if part not in text] == []


def test_a_wrong_variable_is_named() -> None:
    text = refused(environment={"HONGYAN_LIMITS_PAGE": "many"})
    assert "limits.page (variable HONGYAN_LIMITS_PAGE)" in text
    assert "'many'" in text


def test_a_wrong_flag_is_named() -> None:
    assert "http.listen (command line)" in refused(flags={"http.listen": "nowhere"})


def test_a_name_server_is_named_by_its_address() -> None:
    assert load(environment={"HONGYAN_DNS_SERVER": "127.0.0.1:5353"}).dns.server == "127.0.0.1:5353"
    text = refused(environment={"HONGYAN_DNS_SERVER": "ns.example.org:53"})
    assert "dns.server (variable HONGYAN_DNS_SERVER): expected the ADDRESS:PORT of a name server" in text


def test_a_variable_that_looks_like_ours_and_is_none_is_refused() -> None:
    text = refused(environment={"HONGYAN_HTTP_LISTN": "127.0.0.1:1"})
    assert "did you mean HONGYAN_HTTP_LISTEN?" in text


def test_variables_of_message_hooks_are_let_be() -> None:
    assert load(environment={"HONGYAN_TEXT": "早", "HONGYAN_SENDER": "lihua"}) == Settings()


def test_a_file_that_is_missing_or_not_toml_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refused(file=tmp_path / "none.toml")
    assert "is not TOML" in refused(file=file(tmp_path, "listen: 4"))
    (tmp_path / "latin.toml").write_bytes(b'domain = "\xe4"')
    assert "is not TOML" in refused(file=tmp_path / "latin.toml")


def test_a_home_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(flags={"data": "~/hongyan"}).data == tmp_path / "hongyan"


def test_the_name_of_a_variable() -> None:
    assert variable("limits.sends_per_second") == "HONGYAN_LIMITS_SENDS_PER_SECOND"
    assert variable("data") == "HONGYAN_DATA"
