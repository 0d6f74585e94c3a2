"""Values are found in a private file, else in an account; what cannot be had is told in full."""

import json
import subprocess
from pathlib import Path

import pytest

from pipelinekit.tools.vault import SecretError, Vault, open_vault
from tests.account import REGION, client

FILE = """
[parameter-store]
"/shop/token" = "token-of-the-file"
"/shop/token:3" = "third-token"

[secrets-manager]
"shop/key" = "key-of-the-file"
database = { user = "shop", password = "hush-hush", port = 5432 }
"arn:aws:secretsmanager:eu-west-1:111122223333:secret:mail-a1b2c3" = { password = "by-arn" }
"""
ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mail-a1b2c3"


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "secrets.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


@pytest.fixture
def local(tmp_path: Path) -> Vault:
    return open_vault(written(tmp_path, FILE))


# ------------------------------------------------------------------ the file


def test_the_file_stands_for_parameter_store(local: Vault) -> None:
    assert local.parameter("/shop/token") == "token-of-the-file"
    assert local.parameter("/shop/token:3") == "third-token"


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("shop/key", "key-of-the-file"),
        ("shop/key::AWSCURRENT", "key-of-the-file"),
        ("shop/key:::", "key-of-the-file"),
        ("database:password", "hush-hush"),
        ("database:port", "5432"),
        ("database", '{"user": "shop", "password": "hush-hush", "port": 5432}'),
        (f"{ARN}:password", "by-arn"),
        (f"{ARN}:password:AWSCURRENT", "by-arn"),
        (ARN, '{"password": "by-arn"}'),
    ],
)
def test_the_file_stands_for_secrets_manager(local: Vault, reference: str, value: str) -> None:
    assert local.secret(reference) == value


@pytest.mark.parametrize(
    ("reference", "word"),
    [
        ("database:pasword", "no such key; take one of user, password, port"),
        ("shop/key:password", "no JSON object"),
        ("shop/keys", "which has shop/key,"),
        ("shop/key::AWSPREVIOUS", "no AWS account is configured"),
        ("shop/key:::v1", "no AWS account is configured"),
        ("shop/key::AWSPREVIOUS:v1", "leave one of them out"),
        ("a:b:c:d:e", "write secret-id:json-key:version-stage:version-id"),
        (f"{ARN}:b:c:d:e", "write secret-id:json-key:version-stage:version-id"),
        ("", "write secret-id"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told_without_a_value(
    local: Vault, reference: str, word: str
) -> None:
    with pytest.raises(SecretError, match=word) as refusal:
        local.secret(reference)
    assert reference in str(refusal.value)
    assert not any(each in str(refusal.value) for each in ("hush", "-file", "5432"))


def test_a_parameter_that_is_not_there_is_told_with_what_to_write(local: Vault) -> None:
    with pytest.raises(SecretError, match=r'write "/shop/tokn" = ... under \[parameter-store\]'):
        local.parameter("/shop/tokn")


def test_without_a_file_and_an_account_nothing_can_be_had() -> None:
    with pytest.raises(SecretError, match="neither a file of secrets nor an AWS account"):
        open_vault(None).parameter("/shop/token")
    with pytest.raises(SecretError, match=r"database.* under \[secrets-manager\]"):
        open_vault(None).secret("database:password")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_may_read_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, FILE, mode)
    with pytest.raises(SecretError) as refusal:
        open_vault(file)
    cure = str(refusal.value).rpartition("say: ")[2]
    subprocess.run(cure, shell=True, check=True)  # noqa: S602 - the cure is a line for a shell
    assert open_vault(file).parameter("/shop/token") == "token-of-the-file"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[parameter-store]\nx = hush\n", "is no TOML.*line 2"),
        ("[parameters]\nx = 'hush'\n", "has parameters, which has no meaning"),
        ("parameter-store = 'hush'\n", "write a table there"),
        ("[parameter-store]\nx = 12345\n", 'parameter-store."x"; put values in quotes'),
        ("[parameter-store]\nx = {hush = 'hush'}\n", "something else than text at"),
        ("[secrets-manager]\nx = ['hush']\n", "something else than text or a table at"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_place(
    tmp_path: Path, text: str, word: str
) -> None:
    with pytest.raises(SecretError, match=word) as refusal:
        open_vault(written(tmp_path, text))
    assert "secrets.toml" in str(refusal.value)
    assert "hush" not in str(refusal.value)
    assert "12345" not in str(refusal.value)


def test_a_file_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="cannot be read: No such file"):
        open_vault(tmp_path / "secrets.toml")


# ------------------------------------------------------------------ the account


@pytest.mark.slow
def test_the_account_is_asked_for_a_parameter_that_is_not_in_the_file(
    account: str, tmp_path: Path
) -> None:
    ssm = client("ssm", account)
    for value in ("first-in-aws", "second-in-aws"):
        ssm.put_parameter(Name="/shop/far", Value=value, Type="SecureString", Overwrite=True)
        ssm.put_parameter(Name="/shop/token", Value=value, Type="SecureString", Overwrite=True)
    vault = open_vault(written(tmp_path, FILE), region=REGION, endpoint=account)
    assert vault.parameter("/shop/far") == "second-in-aws"
    assert vault.parameter("/shop/far:1") == "first-in-aws"
    assert vault.parameter("/shop/token") == "token-of-the-file"
    with pytest.raises(SecretError, match=r"/shop/near was asked of AWS \(eu-west-1, http.*NotFo"):
        vault.parameter("/shop/near")


@pytest.mark.slow
def test_the_account_is_asked_for_the_version_of_a_secret(account: str, tmp_path: Path) -> None:
    manager = client("secretsmanager", account)
    first = {"password": "old-password", "port": 1}
    made = manager.create_secret(Name="shop/key", SecretString=json.dumps(first))
    manager.put_secret_value(SecretId="shop/key", SecretString='{"password": "new-password"}')
    vault = open_vault(written(tmp_path, FILE), region=REGION, endpoint=account)
    assert vault.secret("shop/key") == "key-of-the-file"
    assert vault.secret("shop/key:password:AWSPREVIOUS") == "old-password"
    assert vault.secret("shop/key:port:AWSPREVIOUS") == "1"
    assert vault.secret(f"shop/key:password::{made['VersionId']}") == "old-password"
    assert vault.secret(f"{made['ARN']}:password") == "new-password"
    assert json.loads(vault.secret(made["ARN"])) == {"password": "new-password"}
    with pytest.raises(SecretError, match="no such key; take one of password") as refusal:
        vault.secret(f"{made['ARN']}:user")
    assert "new-password" not in str(refusal.value)
    with pytest.raises(SecretError, match="ResourceNotFound"):
        vault.secret("shop/nothing")


@pytest.mark.slow
def test_a_secret_of_bytes_is_refused(account: str) -> None:
    client("secretsmanager", account).create_secret(Name="bytes", SecretBinary=b"\0\1")
    with pytest.raises(SecretError, match="is binary; store it as text"):
        open_vault(None, region=REGION, endpoint=account).secret("bytes")


@pytest.mark.slow
def test_an_account_that_cannot_be_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(SecretError, match=r"AWS \(nobody\).*profile \(nobody\) could not be foun"):
        open_vault(None, profile="nobody").parameter("/x")
    with pytest.raises(SecretError, match="Invalid endpoint"):
        open_vault(None, region=REGION, endpoint="nonsense").parameter("/x")
