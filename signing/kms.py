"""Signs with an AWS KMS key (`ECC_SECG_P256K1`) that never leaves the service.

Stage: sealing. KMS is trusted with the key and with nothing else: its public key fixes the
address at the start, and every answer must recover to that address or nothing is signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from signing.ecdsa import address_of_spki, spell_der, unusable_key
from signing.eip712 import bad_signature, check_digest
from when_to_invest.errors import ErrorCode, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_SPEC: Final = "ECC_SECG_P256K1"
KEY_USAGE: Final = "SIGN_VERIFY"
ALGORITHM: Final = "ECDSA_SHA_256"
CONNECT_TIMEOUT_S: Final = 2.0
READ_TIMEOUT_S: Final = 2.5
MAX_ATTEMPTS: Final = 2
"""Signing the same digest again is harmless, so a lost answer is asked for once more."""
_ABSENT: Final = frozenset({"NotFoundException", "InvalidArnException"})
_FORBIDDEN: Final = frozenset({"AccessDeniedException", "AccessDenied", "403", "UnrecognizedClientException"})
_STOPPED: Final = frozenset({"DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException"})


class KmsClient(Protocol):
    """The three calls of boto3's KMS client that are used."""

    def get_public_key(self, *, KeyId: str) -> Any:  # noqa: N803 - boto3's name
        """Return the key's ARN, spec, usage, algorithms and public key."""
        ...

    def describe_key(self, *, KeyId: str) -> Any:  # noqa: N803 - boto3's name
        """Return the key's metadata."""
        ...

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> Any:  # noqa: N803
        """Return a DER signature of a digest."""
        ...


class KmsSigner:
    """Signs digests with one KMS key, named by its ARN from the start on."""

    __slots__ = ("_address", "_arn", "_client")

    def __init__(self, client: KmsClient, *, arn: str, address: str) -> None:
        self._client = client
        self._arn = arn
        self._address = address

    @property
    def address(self) -> str:
        """Return the checksummed address that signatures recover to."""
        return self._address

    def sign_digest(self, digest: bytes) -> str:
        """Return the low-s signature of `digest`, checked by recovering its signer.

        Raises:
            Fault: `bad_signature` when KMS signed something else or with another key;
                `key_missing` when it may not sign; `service_unavailable`.
        """
        message = check_digest(digest)
        answer = _asked(
            lambda: self._client.sign(
                KeyId=self._arn, Message=message, MessageType="DIGEST", SigningAlgorithm=ALGORITHM
            )
        )
        if answer.get("KeyId") != self._arn or answer.get("SigningAlgorithm") != ALGORITHM:
            raise bad_signature("the service signed with another key or algorithm than it was asked to")
        return spell_der(_bytes_of(answer, "Signature"), digest=message, address=self._address)

    def __repr__(self) -> str:
        return f"KmsSigner({self._address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is never copied or pickled")


def open_kms_signer(client: KmsClient, key: str) -> KmsSigner:
    """Return a signer for the key that an alias, id or ARN names now.

    Raises:
        Fault: `key_missing`; `bad_config` when it is no enabled secp256k1 signing key;
            `service_unavailable`.
    """
    told = _asked(lambda: client.get_public_key(KeyId=key))
    known = _asked(lambda: client.describe_key(KeyId=key)).get("KeyMetadata", {})
    arn = known.get("Arn")
    spec = told.get("KeySpec", known.get("KeySpec"))
    if not isinstance(arn, str) or told.get("KeyId") != arn:
        raise unusable_key("the service named two different keys")
    if spec != KEY_SPEC or known.get("KeySpec") != KEY_SPEC or told.get("KeyUsage") != KEY_USAGE:
        raise unusable_key(f"it is not a {KEY_SPEC} key for {KEY_USAGE}")
    if ALGORITHM not in told.get("SigningAlgorithms", ()):
        raise unusable_key(f"it does not sign with {ALGORITHM}")
    if known.get("Enabled") is not True:
        raise unusable_key("it is disabled")
    return KmsSigner(client, arn=arn, address=address_of_spki(_bytes_of(told, "PublicKey")))


def connect_kms(*, region: str, endpoint_url: str | None) -> KmsClient:
    """Return boto3's client, with credentials from its own chain and short timeouts.

    Raises:
        Fault: `bad_config` when boto3 is not installed or cannot use the settings.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise Fault(
            ErrorCode.BAD_CONFIG,
            "signing with KMS needs a package that is not installed",
            fix="install the extra: when-to-invest[kms]",
        ) from error
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
    )
    try:
        # A session of its own: the shared one keeps the credentials that it met first.
        client: KmsClient = boto3.session.Session().client(
            "kms", region_name=region, endpoint_url=endpoint_url, config=config
        )
    except (BotoCoreError, ValueError) as error:
        raise unusable_key("region or endpoint_url of [signing] cannot be used") from error
    return client


def _asked(ask: Callable[[], Any]) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        answer = ask()
    except ClientError as error:
        raise _refused(error.response) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise Fault(
            ErrorCode.UNAUTHENTICATED,
            "this process has no AWS credentials to use the key with",
            fix="give it a role, or the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ) from error
    except BotoCoreError as error:
        raise _silent(type(error).__name__) from error
    if not isinstance(answer, dict):
        raise bad_signature("the service's answer is none")
    return answer


def _refused(response: Any) -> Fault:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    reasons = {
        **dict.fromkeys(_ABSENT, "the service knows no such key"),
        **dict.fromkeys(_FORBIDDEN, "this process may not use it"),
        **dict.fromkeys(_STOPPED, "it is disabled, about to be deleted, or for another use"),
    }
    if code not in reasons and not (isinstance(status, int) and 400 <= status < 500):  # noqa: PLR2004 - HTTP
        return _silent(code or "an unknown error")
    if code in {"ThrottlingException", "LimitExceededException"}:
        return _silent(code)
    return Fault(
        ErrorCode.KEY_MISSING,
        f"the KMS key cannot be used: {reasons.get(code, code)}",
        fix="check the key in [signing] seal, its state, and kms:GetPublicKey, DescribeKey and Sign on it",
    )


def _silent(what: str) -> Fault:
    return Fault(
        ErrorCode.SERVICE_UNAVAILABLE,
        f"the key service does not answer ({what}); nothing was signed",
        fix="check network, region and endpoint of [signing], then try again",
    )


def _bytes_of(answer: dict[str, Any], name: str) -> bytes:
    value = answer.get(name)
    if not isinstance(value, bytes):
        raise bad_signature(f"the service gave no {name}")
    return value
