"""The clients of LangGraph's server, the plain one and its twin."""

import langgraph_sdk

CALLS = {
    "langgraph_sdk.client.SyncAssistantsClient.search": lambda at: langgraph_sdk.get_sync_client(
        url=at.url
    ).assistants.search(),
    "langgraph_sdk.client.SyncThreadsClient.create": lambda at: langgraph_sdk.get_sync_client(
        url=at.url
    ).threads.create(),
    "langgraph_sdk.client.AssistantsClient.search": lambda at: langgraph_sdk.get_client(
        url=at.url
    ).assistants.search(),
}
