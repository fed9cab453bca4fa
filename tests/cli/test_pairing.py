"""Binding a partner: a wrong file, another key later, names and keys that two sites share; and whom `verify` believes."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from filesync.bundle.layout import NAMESPACE
from filesync.errors import ExitCode
from filesync.keys.age import make_identity
from filesync.keys.pairing import Pairing, decode, encode
from filesync.keys.signers import AllowedSigner, add_signer, read_signers
from filesync.keys.sshsig import FileSigner, make_key
from tests.cli.sites import Pair
from tests.support.bundles import bag, packed


def offered(pair: Pair) -> Pairing:
    """What acme gave to globex."""
    return decode((pair.folder / "acme.json").read_bytes())


def changed(pair: Pair, tmp_path: Path, **different: object) -> Path:
    path = tmp_path / "changed.json"
    path.write_bytes(encode(msgspec.structs.replace(offered(pair), **different)))
    return path


def keys_of_acme(pair: Pair) -> list[str]:
    signers = read_signers(pair.folder / "globex" / "keys" / "allowed_signers")
    return [one.key.text() for one in signers if one.principal == "acme"]


def signed_for_globex(pair: Pair, key: Path, file: Path) -> Path:
    one = bag()
    file.write_bytes(packed(one, FileSigner(key).sign(one.tagmanifest, namespace=NAMESPACE)))
    return file


def test_a_wrong_file_gives_way_to_the_right_one_and_its_key_is_believed_no_more(pair: Pair, tmp_path: Path) -> None:
    wrong = make_key(tmp_path / "wrong", comment="").text()
    _, first, _ = pair.at_globex("pair", "accept", "--json", changed(pair, tmp_path, key=wrong))
    assert keys_of_acme(pair) == [wrong]
    forged = signed_for_globex(pair, tmp_path / "wrong", tmp_path / "forged.tar")
    assert pair.at_globex("verify", forged)[0] == ExitCode.DONE
    status, out, err = pair.at_globex("pair", "accept", pair.folder / "acme.json")
    assert status == ExitCode.DONE
    assert "The key that was accepted before was taken out" in out
    assert "warning: acme: another key than before was accepted" in err
    assert keys_of_acme(pair) == [offered(pair).key]
    assert first["words"] not in out
    status, told, _ = pair.at_globex("verify", "--json", forged)
    assert (status, told["files"][0]["code"]) == (ExitCode.PARTNER, "BAD_SIGNATURE")


def test_a_second_key_in_the_file_of_signers_does_not_make_a_forgery_good(pair: Pair, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other", comment="")
    add_signer(pair.folder / "globex" / "keys" / "allowed_signers", AllowedSigner("acme", other, (NAMESPACE,)))
    forged = signed_for_globex(pair, tmp_path / "other", tmp_path / "forged.tar")
    for verb in ("verify", "show"):
        assert pair.at_globex(verb, forged)[0] == ExitCode.PARTNER
    honest = signed_for_globex(pair, pair.folder / "acme" / "keys" / "signing", tmp_path / "honest.tar")
    for verb in ("verify", "show"):
        assert pair.at_globex(verb, honest)[0] == ExitCode.DONE


def test_a_running_exchange_changes_its_key_or_recipient_only_when_a_person_says_so(pair: Pair, tmp_path: Path) -> None:
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    pair.at_acme("export")
    pair.deliver(*pair.sent())
    assert pair.at_globex("import")[0] == ExitCode.DONE
    key, recipient = make_key(tmp_path / "new", comment="").text(), make_identity(tmp_path / "new.txt")
    file = changed(pair, tmp_path, key=key, recipient=recipient)
    status, _, err = pair.at_globex("pair", "accept", file)
    assert status == ExitCode.CONFIG
    assert "acme's key and recipient in this file differ from the one paired on 20" in err
    assert "by phone" in err
    assert "--replace-key" in err
    assert keys_of_acme(pair) == [offered(pair).key]
    assert pair.at_globex("pair", "accept", pair.folder / "acme.json")[0] == ExitCode.DONE, "the same again is no change"
    status, out, _ = pair.at_globex("pair", "accept", "--replace-key", file)
    assert status == ExitCode.DONE
    assert "six words" in out
    assert keys_of_acme(pair) == [key]
    _, told, _ = pair.at_globex("log", "--json")
    assert "another key and recipient than before was accepted" in json.dumps(told)


def test_a_key_that_another_exchange_goes_by_stays_believed(pair: Pair, tmp_path: Path) -> None:
    second = changed(pair, tmp_path, stream="5a" * 16)
    assert pair.at_globex("pair", "accept", "--exchange", "second", second)[0] == ExitCode.DONE
    new = make_key(tmp_path / "new", comment="").text()
    assert pair.at_globex("pair", "accept", changed(pair, tmp_path, key=new))[0] == ExitCode.DONE
    assert keys_of_acme(pair) == [offered(pair).key, new]


def test_a_partner_of_our_own_name_is_refused(pair: Pair, tmp_path: Path) -> None:
    status, _, err = pair.at_globex("pair", "accept", changed(pair, tmp_path, name="globex"))
    assert status == ExitCode.CONFIG
    assert "calls itself globex, as we do" in err
    assert "filesync init" in err


def test_a_partner_with_our_own_key_or_a_key_of_a_third_is_refused_in_words(pair: Pair, tmp_path: Path) -> None:
    ours = read_signers(pair.folder / "globex" / "keys" / "allowed_signers")[0].key.text()
    status, _, err = pair.at_globex("pair", "accept", changed(pair, tmp_path, key=ours))
    assert status == ExitCode.CONFIG
    assert "has our own key in it" in err
    third = changed(pair, tmp_path, name="initech", site="33333333-3333-4333-8333-333333333333", stream="5a" * 16)
    status, _, err = pair.at_globex("pair", "accept", "--exchange", "third", third)
    assert status == ExitCode.CONFIG
    assert "the key of initech is acme's already" in err
    assert "allowed_signers:" not in err, "no line is named that is not there"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_that_an_editor_or_a_shell_wrote_with_a_mark_is_read(pair: Pair, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "marked.json"
    file.write_text((pair.folder / "acme.json").read_text(), encoding=encoding)
    assert pair.at_globex("pair", "accept", file)[0] == ExitCode.DONE


def test_what_is_no_pairing_file_is_named_for_what_it_is(pair: Pair, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"\xff\x00\x80 nothing")
    bundle = signed_for_globex(pair, pair.folder / "acme" / "keys" / "signing", tmp_path / "bundle.tar")
    keys = pair.folder / "globex" / "keys"
    for file, said in (
        (keys / "signing", "a private key"),
        (keys / "age.txt", "a private key"),
        (keys / "signing.pub", "a public key"),
        (bundle, "a bundle"),
        (garbage, "not text"),
    ):
        status, _, err = pair.at_globex("pair", "accept", file)
        assert status == ExitCode.CONFIG
        assert said in err
        assert "filesync pair export" in err or "to nobody" in err
        assert "codec" not in err
        assert "SECRET" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--outbox", "inbox"], "--outbox is the same folder as the inbox"),
        (["--inbox", "outbox"], "--inbox is the same folder as the outbox"),
        (["--outbox", "state/out"], "--outbox is inside the state"),
        (["--outbox", "keys"], "age.txt lies there, where the carrier reads and writes"),
        (["--outbox", "."], "the inbox is inside --outbox"),
        (["--outbox", "one", "--inbox", "one/two"], "--inbox is inside --outbox"),
    ],
    ids=str,
)
def test_f54_f58_the_own_folders_of_an_exchange_may_not_lie_in_one_another(
    pair: Pair, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pair.folder / "acme")
    before = pair.at_acme("status")[1]
    status, _, err = pair.at_acme("pair", "accept", pair.folder / "globex.json", *words)
    assert status == ExitCode.CONFIG
    assert said in err
    assert pair.at_acme("status")[1] == before


def test_exchanges_may_share_a_folder_of_one_kind(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pair.folder / "acme")
    Path("../out").mkdir()
    for words in (["--outbox", "outbox"], ["--inbox", "inbox"], ["--outbox", "../out"]):
        assert pair.at_acme("pair", "accept", pair.folder / "globex.json", *words)[0] == ExitCode.DONE


def test_own_folders_are_made_in_the_site_and_asked_for_elsewhere(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pair.folder / "acme")
    accept = ("pair", "accept", pair.folder / "globex.json", "--outbox", "outbox-south", "--inbox")
    status, _, err = pair.at_acme(*accept, "../stick/in")
    assert status == ExitCode.CONFIG
    assert f"--inbox: there is no folder {Path.cwd()}/../stick/in" in err
    assert "mkdir -p " in err
    assert not Path("outbox-south").exists()
    assert pair.at_acme(*accept, "inbox-south")[0] == ExitCode.DONE
    pair.at_acme("issue", "create", "--type", "Bug", "--summary", "Pump")
    assert pair.at_acme("export")[0] == ExitCode.DONE
    assert list(Path("outbox-south").iterdir())
    assert Path("inbox-south").is_dir()


def test_another_file_of_the_same_partner_says_that_it_takes_the_place_of_the_one_before(pair: Pair, tmp_path: Path) -> None:
    status, _, err = pair.at_globex("pair", "accept", changed(pair, tmp_path, stream="5a" * 16))
    assert status == ExitCode.DONE
    assert (
        "acme: another stream than before was accepted on exchange 'main'. This file takes the place of the one before." in err
    )
