"""Signing in at an OpenID provider: authorization code with PKCE. Source: OpenID Connect Core 1.0.

The provider is asked directly, never through a proxy of the environment. Of what it says only the
ID token counts: signed by one of its keys, for us, for this very request (nonce), and not over.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from app.accounts.signing_in import SignInFailed
from app.config import Settings
from app.web.language import message

log = structlog.get_logger()

FAILED = message("The sign-in at the provider failed.")
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures by a key that only the provider has; never `none`, never a shared secret."""
SCOPE = "openid profile"
TIMEOUT_S = 10
LEEWAY_S = 60
LARGEST_ANSWER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Journey:
    """What the browser keeps while it is at the provider; `place` is where it goes afterwards."""

    state: str
    nonce: str
    verifier: str
    place: str

    @classmethod
    def begin(cls, place: str) -> "Journey":
        return cls(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), place
        )


def departure(settings: Settings, journey: Journey, redirect_uri: str) -> str:
    """The provider's address at which the user signs in. Raises `SignInFailed`."""
    try:
        with _client(settings, redirect_uri) as client:
            address = _metadata(settings, client)["authorization_endpoint"]
            url, _state = client.create_authorization_url(
                address,
                state=journey.state,
                code_verifier=journey.verifier,
                nonce=journey.nonce,
            )
    except (RequestException, OAuthError, KeyError, ValueError) as error:
        raise _failed(error) from error
    return str(url)


def arrival(
    settings: Settings, journey: Journey, code: str, redirect_uri: str, now: int
) -> Mapping[str, Any]:
    """The claims of the ID token that the code stands for. Raises `SignInFailed`."""
    try:
        with _client(settings, redirect_uri) as client:
            metadata = _metadata(settings, client)
            token = client.fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=journey.verifier
            )
            keys = _document(client, metadata["jwks_uri"])
        return _checked(settings, token["id_token"], keys, journey.nonce, now)
    except (RequestException, OAuthError, JoseError, KeyError, TypeError, ValueError) as error:
        raise _failed(error) from error


def _checked(
    settings: Settings, id_token: str, keys: Mapping[str, Any], nonce: str, now: int
) -> Mapping[str, Any]:
    found = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type] # checked there
    claims: dict[str, Any] = found.claims
    jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_S,
        iss={"essential": True, "value": str(settings.oidc_issuer)},
        aud={"essential": True, "value": str(settings.oidc_client_id)},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    ).validate(claims)
    if claims.get("azp", settings.oidc_client_id) != settings.oidc_client_id:
        raise ValueError("the token was made for another client")
    return claims


def _client(settings: Settings, redirect_uri: str) -> Any:
    secret = settings.oidc_client_secret
    client: Any = OAuth2Session(
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        scope=SCOPE,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        default_timeout=TIMEOUT_S,
    )
    client.trust_env = False
    client.max_redirects = 0
    if settings.oidc_ca_file is not None:
        client.verify = str(settings.oidc_ca_file)
    return client


def _metadata(settings: Settings, client: Any) -> Mapping[str, Any]:
    issuer = str(settings.oidc_issuer)
    found = _document(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if found["issuer"] != issuer:
        raise ValueError(f"the provider calls itself {found['issuer']!r}")
    return found


def _document(client: Any, address: str) -> dict[str, Any]:
    answer = client.get(address, withhold_token=True)
    answer.raise_for_status()
    if len(answer.content) > LARGEST_ANSWER:
        raise ValueError("the provider's answer is too large")
    document: dict[str, Any] = answer.json()
    return document


def _failed(error: Exception) -> SignInFailed:
    """The reason goes to our log, not to the browser."""
    log.warning("sign-in at the provider failed", error=f"{type(error).__name__}: {error}"[:300])
    return SignInFailed(FAILED)
