"""NeMo-Gym: a resources server whose rewards come from murmur serve."""

import os

from nemo_gym.base_resources_server import (
    BaseResourcesServerConfig,
    BaseVerifyRequest,
    BaseVerifyResponse,
    SimpleResourcesServer,
)
from nemo_gym.judge import reraise_judge_errors
from nemo_gym.server_utils import get_response_json, raise_for_status, request


class MurmurResourcesServerConfig(BaseResourcesServerConfig):
    murmur_url: str


class MurmurResourcesServer(SimpleResourcesServer):
    config: MurmurResourcesServerConfig

    async def verify(self, body: BaseVerifyRequest) -> BaseVerifyResponse:
        # A request that fails is no answer that is bad: the row goes to the failures' file.
        reward = await reraise_judge_errors(self._reward(body))
        return BaseVerifyResponse(**body.model_dump(), reward=reward)

    async def _reward(self, body: BaseVerifyRequest) -> float:
        url = f"{self.config.murmur_url}/verify"
        key = {"X-API-Key": os.environ.get("MURMUR_API_KEY", "")}  # if the server wants one
        response = await request("POST", url, json=body.model_dump(mode="json"), headers=key)
        await raise_for_status(response)
        return (await get_response_json(response))["reward"]


if __name__ == "__main__":
    MurmurResourcesServer.run_webserver()
