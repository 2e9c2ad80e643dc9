"""Web3 asks a node for nearly everything."""

from web3 import AsyncWeb3, Web3

NOBODY = "0x" + "0" * 40


def client(at):
    return Web3(Web3.HTTPProvider(at.url, exception_retry_configuration=None))


CALLS = {
    "web3.Web3.is_connected": lambda at: client(at).is_connected(),
    "web3.eth.Eth.get_balance": lambda at: client(at).eth.get_balance(NOBODY),
    "web3.eth.Eth.get_block": lambda at: client(at).eth.get_block("latest"),
    "web3.eth.Eth.block_number": lambda at: client(at).eth.block_number,
    "web3.eth.AsyncEth.get_block": lambda at: AsyncWeb3(
        AsyncWeb3.AsyncHTTPProvider(at.url, exception_retry_configuration=None)
    ).eth.get_block("latest"),
}
