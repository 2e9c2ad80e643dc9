import datetime
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.types import Chat, Message, Update

from knowledge.spy import Spies

EVENT = "aiogram.dispatcher.event.telegram.TelegramEventObserver"
HOOK = "aiogram.dispatcher.event.event.EventObserver"


async def use(spies: Spies) -> None:
    dispatcher = Dispatcher()
    bot = Bot("1:x")

    def plain(message: Message) -> None:
        spies(f"{EVENT}.__call__")

    def allowed(message: Message) -> bool:
        spies(f"{EVENT}.__call__()")
        spies(f"{EVENT}.register()")
        return True

    def registered(message: Message) -> None:
        spies(f"{EVENT}.register")

    def hook(name: str) -> Any:
        def run() -> None:
            spies(name)

        return run

    dispatcher.message(allowed)(plain)
    dispatcher.edited_message.register(registered, allowed)
    dispatcher.startup()(hook(f"{HOOK}.__call__"))
    dispatcher.startup.register(hook(f"{HOOK}.register"))
    message = Message(message_id=1, date=datetime.datetime.now(), chat=Chat(id=1, type="private"))
    await dispatcher.emit_startup()
    await dispatcher.feed_update(bot, Update(update_id=1, message=message))
    await dispatcher.feed_update(bot, Update(update_id=2, edited_message=message))
    await bot.session.close()
