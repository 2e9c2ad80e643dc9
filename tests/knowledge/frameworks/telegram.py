import datetime
from typing import Any

from telegram import Chat, Message, Update, User
from telegram.ext import ApplicationBuilder, BaseHandler, MessageHandler, TypeHandler, filters

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    app = ApplicationBuilder().token("1:x").updater(None).job_queue(None).build()
    app._initialized = True  # To initialize asks the server.
    chat = Chat(1, "private")
    user = User(1, "a", False)
    message = Message(1, datetime.datetime.now(), chat, text="x", from_user=user)
    app.add_handler(MessageHandler(own_filter(spies), nothing))
    app.add_handler(MessageHandler(update_filter(spies), nothing), group=3)
    app.add_handler(own_handler(spies)(nothing), group=1)
    app.add_handler(TypeHandler(Update, nothing), group=2)
    await app.process_update(Update(1, message=message))


async def nothing(*_given: Any) -> None: ...


def own_filter(spies: Spies) -> filters.MessageFilter:
    class Own(filters.MessageFilter):
        def filter(self, message: Message) -> bool:
            spies("telegram.ext.filters.MessageFilter.filter")
            return True

    return Own()


def update_filter(spies: Spies) -> filters.UpdateFilter:
    class Own(filters.UpdateFilter):
        def filter(self, update: Update) -> bool:
            spies("telegram.ext.filters.UpdateFilter.filter")
            return True

    return Own()


def own_handler(spies: Spies) -> Any:
    class Own(BaseHandler):  # type: ignore[type-arg]
        def check_update(self, update: object) -> bool:
            spies("telegram.ext.BaseHandler.check_update")
            return False

    return Own
