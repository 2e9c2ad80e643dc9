import types
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from knowledge.spy import Spies


async def use(spies: Spies) -> None:
    def prefix(bot: Any, message: Any) -> str:
        spies("discord.ext.commands.Bot(command_prefix)")
        return "!"

    bot = commands.Bot(prefix, intents=discord.Intents.none())
    message: Any = types.SimpleNamespace()
    assert await bot.get_prefix(message) == "!"
    await check_command(bot, spies)
    await check_interaction(spies)
    await bot.close()


async def check_command(bot: commands.Bot, spies: Spies) -> None:
    def allowed(context: Any) -> bool:
        spies("discord.ext.commands.check")
        return True

    class Orders(commands.Cog):
        def cog_check(self, ctx: Any) -> bool:
            spies("discord.ext.commands.Cog.cog_check")
            return True

        @commands.command()
        @commands.check(allowed)
        async def order(self, ctx: Any) -> None: ...

    def everywhere(context: Any) -> bool:
        spies("discord.ext.commands.Bot.check")
        return True

    bot.check(everywhere)
    await bot.add_cog(Orders())
    command = bot.get_command("order")
    assert command is not None
    context: Any = types.SimpleNamespace(command=command, bot=bot, guild=None)
    assert await command.can_run(context) if not hasattr(bot, "can_run") else True
    context.bot = bot
    assert await command.can_run(context)


async def check_interaction(spies: Spies) -> None:
    def allowed(interaction: Any) -> bool:
        spies("discord.app_commands.check")
        return True

    @app_commands.command()
    @app_commands.check(allowed)
    async def order(interaction: discord.Interaction) -> None: ...

    interaction: Any = types.SimpleNamespace(client=None, extras={})
    assert await order._check_can_run(interaction)
