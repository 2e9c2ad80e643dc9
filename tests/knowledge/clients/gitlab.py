"""The clients of GitLab and GitHub, for another address."""

import github
import gitlab


def hub(at):
    return github.Github(base_url=at.url, retry=None, timeout=3)


CALLS = {
    "gitlab.Gitlab.auth": lambda at: gitlab.Gitlab(at.url, private_token="a", timeout=3).auth(),
    "gitlab.Gitlab.version": lambda at: gitlab.Gitlab(at.url, timeout=3).version(),
    "github.Github.get_repo": lambda at: hub(at).get_repo("a/b"),
    "github.Github.get_rate_limit": lambda at: hub(at).get_rate_limit(),
}
