"""Finding the environment, the source roots, and the file of every module name."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from loopsafe.modules.disk import Disk
from loopsafe.modules.environment import Environment, find_environment
from loopsafe.modules.finder import Finder, ModuleFile, Origin
from loopsafe.modules.roots import Versions, source_roots
from loopsafe.modules.typeshed import find_typeshed

EDITABLE_FINDER = """\
from __future__ import annotations
MAPPING: dict[str, str] = {{'tool': {tool!r}, 'ns.part': {part!r}, 'alone': {alone!r}}}
NAMESPACES: dict[str, list[str]] = {{'ns': []}}
raise SystemExit('this module must not run')
"""


def write(folder: Path, files: Mapping[str, str] | str) -> Path:
    """Makes files; given as one text, their names, all empty."""
    named = dict.fromkeys(files.split(), "") if isinstance(files, str) else files
    for name, text in named.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return folder


def make_venv(prefix: Path, version: str = "3.12", config: str = "") -> Path:
    """A virtual environment as `venv` lays it out on Linux; gives its site-packages."""
    home = prefix.parent / f"python{version}" / "bin"
    text = f"home = {home}\nversion = {version}.4\n{config}"
    write(prefix, {"pyvenv.cfg": text, "bin/activate": ""})
    site = prefix / "lib" / f"python{version}" / "site-packages"
    site.mkdir(parents=True)
    return site


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder that is its own repository."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    return folder


class TestEnvironment:
    def test_none_is_found_where_there_is_none(self, root: Path) -> None:
        found = find_environment(root)
        assert (found.prefix, found.version, found.paths) == (None, None, ())
        assert found.label == "no Python environment"

    @pytest.mark.parametrize("name", [".venv", "venv", "env", "my-environment"])
    def test_in_the_project(self, root: Path, name: str) -> None:
        site = make_venv(root / name)
        found = find_environment(root)
        assert found.prefix == root / name
        assert found.version == (3, 12)
        assert found.paths == (site,)
        assert found.label == f"Python 3.12 ({name})"

    def test_above_the_project_within_its_repository(self, root: Path, tmp_path: Path) -> None:
        make_venv(tmp_path / ".venv")
        (root / "service").mkdir()
        assert find_environment(root / "service").prefix is None
        make_venv(root / ".venv")
        assert find_environment(root / "service").prefix == root / ".venv"

    def test_of_an_inner_project(self, root: Path) -> None:
        make_venv(root / "backend" / ".venv")
        assert find_environment(root).prefix == root / "backend" / ".venv"

    def test_the_active_one_comes_first_and_conda_last(self, root: Path, tmp_path: Path) -> None:
        make_venv(tmp_path / "active")
        make_venv(tmp_path / "base")
        conda = {"CONDA_PREFIX": str(tmp_path / "base")}
        active = {"VIRTUAL_ENV": str(tmp_path / "active"), **conda}
        assert find_environment(root, None, conda).prefix == tmp_path / "base"
        make_venv(root / ".venv")
        assert find_environment(root, None, conda).prefix == root / ".venv"
        assert find_environment(root, None, active).prefix == tmp_path / "active"

    def test_named_by_a_file(self, root: Path, tmp_path: Path) -> None:
        make_venv(tmp_path / "kept" / "elsewhere")
        write(root, {".venv": "../kept/elsewhere\n"})
        assert find_environment(root).prefix == root / "../kept/elsewhere"
        (root / ".venv").unlink()
        write(root, {".pdm-python": str(tmp_path / "kept" / "elsewhere" / "bin" / "python")})
        assert find_environment(root).prefix == tmp_path / "kept" / "elsewhere"

    def test_kept_by_hatch(self, root: Path, tmp_path: Path) -> None:
        write(root, "pyproject.toml")
        env = {"HATCH_DATA_DIR": str(tmp_path / "hatch")}
        mark = base64.urlsafe_b64encode(hashlib.sha256(str(root).encode()).digest()).decode()[:8]
        place = tmp_path / "hatch" / "env" / "virtual" / "project" / mark / "project"
        make_venv(place)
        assert find_environment(root, None, env).prefix == place

    def test_named_for_pyenv(self, root: Path, tmp_path: Path) -> None:
        env = {"PYENV_ROOT": str(tmp_path / "pyenv")}
        write(root, {".python-version": "my-project\n"})
        place = tmp_path / "pyenv" / "versions" / "my-project"
        make_venv(place)
        assert find_environment(root, None, env).prefix == place
        make_venv(root / ".venv")
        assert find_environment(root, None, env).prefix == root / ".venv"

    def test_a_python_of_pyenv_without_an_environment(self, root: Path, tmp_path: Path) -> None:
        env = {"PYENV_ROOT": str(tmp_path / "pyenv")}
        write(root, {".python-version": "3.11\n"})
        place = tmp_path / "pyenv" / "versions" / "3.11.7"
        write(place, "bin/python3.11 lib/python3.11/site-packages/six.py")
        found = find_environment(root, None, env)
        assert (found.prefix, found.version) == (place, (3, 11))

    def test_named_for_conda(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("USERPROFILE", str(tmp_path))
        place = tmp_path / "miniconda3" / "envs" / "science"
        write(place, "conda-meta/python-3.12.4-h.json lib/python3.12/site-packages/numpy.py")
        write(root, {"environment.yml": "name: science\ndependencies:\n  - numpy\n"})
        write(tmp_path, {".conda/environments.txt": f"{tmp_path / 'other'}\n{place}\n"})
        found = find_environment(root)
        assert (found.prefix, found.version) == (place, (3, 12))

    def test_a_monorepo_with_an_environment_for_each_package(self, root: Path) -> None:
        """A package opened by itself has its own; the whole repository the first of them."""
        for package in ("api", "worker"):
            write(root / "packages" / package, "pyproject.toml")
            make_venv(root / "packages" / package / ".venv")
        for package in ("api", "worker"):
            folder = root / "packages" / package
            assert find_environment(folder).prefix == folder / ".venv"
        assert find_environment(root).prefix == root / "packages" / "api" / ".venv"
        make_venv(root / ".venv")
        assert find_environment(root).prefix == root / ".venv"

    def test_kept_by_poetry_and_pipenv(self, root: Path, tmp_path: Path) -> None:
        def digest(path: Path) -> str:
            raw = hashlib.sha256(os.path.realpath(path).encode()).digest()
            return base64.urlsafe_b64encode(raw).decode()[:8]

        write(root, "pyproject.toml Pipfile")
        store = tmp_path / "cache"
        env = {"POETRY_CACHE_DIR": str(store), "WORKON_HOME": str(tmp_path / "homes")}
        pipenv = tmp_path / "homes" / f"project-{digest(root / 'Pipfile')}"
        make_venv(pipenv)
        assert find_environment(root, None, env).prefix == pipenv
        poetry = store / "virtualenvs" / f"project-{digest(root)}-py3.12"
        make_venv(poetry)
        assert find_environment(root, None, env).prefix == poetry

    def test_given_as_interpreter_folder_or_site_packages(self, root: Path, tmp_path: Path) -> None:
        """The interpreter of an environment is a link out of it, which must not be followed."""
        base = write(tmp_path / "base", "bin/python3.12 lib/python3.12/site-packages/base.py")
        site = make_venv(tmp_path / "env")
        (tmp_path / "env" / "bin" / "python").symlink_to(base / "bin" / "python3.12")
        for given in ("env", "env/bin", "env/bin/python", "env/lib/python3.12/site-packages"):
            write(site, "module.py")
            found = find_environment(root, tmp_path / given)
            assert found.paths == (site,), given
            assert found.version == (3, 12)
        assert find_environment(root, Path("../env")).paths == (site,)

    def test_given_as_a_link_to_an_interpreter(self, root: Path, tmp_path: Path) -> None:
        """Of the Pythons in one prefix, the one that the link means."""
        base = write(
            tmp_path / "usr",
            "bin/python3.9 lib/python3.9/site-packages/a.py lib/python3.11/site-packages/a.py",
        )
        (base / "bin" / "python3").symlink_to("python3.9")
        (tmp_path / "py").symlink_to(base / "bin" / "python3")
        found = find_environment(root, tmp_path / "py")
        assert found.paths == (base / "lib/python3.9/site-packages",)
        assert found.version == (3, 9)

    def test_given_as_a_folder_of_packages(self, root: Path) -> None:
        target = write(root / "vendored", "httpx/__init__.py httpx-1.0.dist-info/METADATA")
        found = find_environment(root, target)
        assert found.paths == (target,)
        assert found.label == "packages in vendored"

    def test_given_wrongly(self, root: Path) -> None:
        write(root, {"notes.txt": "", "docs/a.md": ""})
        for given, problem in [
            ("nowhere", "nowhere: no such file or folder"),
            ("notes.txt", "notes.txt: no Python installation belongs to this file"),
            ("docs", "docs: neither an environment nor a folder of packages"),
        ]:
            found = find_environment(root, Path(given))
            assert found.problem == problem
            assert found.paths == ()

    def test_laid_out_by_windows_conda_debian_and_pypy(self, root: Path, tmp_path: Path) -> None:
        windows = write(
            tmp_path / "windows",
            {
                "pyvenv.cfg": "version_info = 3.13.1",
                "Scripts/python.exe": "",
                "Lib/site-packages/httpx.py": "",
            },
        )
        found = find_environment(root, windows / "Scripts" / "python.exe")
        assert (found.paths, found.version) == ((windows / "Lib/site-packages",), (3, 13))
        conda = write(
            tmp_path / "conda",
            "conda-meta/python-3.11.9-h1.json bin/python lib/python3.1/x"
            " lib/python3.11/site-packages/x.py",
        )
        found = find_environment(root, None, {"CONDA_PREFIX": str(conda)})
        assert (found.version, found.label) == ((3, 11), "Python 3.11 (conda)")
        debian = write(
            tmp_path / "usr",
            "bin/python3 lib/python3/dist-packages/x.py lib/python3.11/os.py"
            " local/lib/python3.11/dist-packages/y.py",
        )
        assert find_environment(root, debian / "bin" / "python3").paths == (
            debian / "local/lib/python3.11/dist-packages",
            debian / "lib/python3/dist-packages",
        )
        pypy = write(tmp_path / "pypy", "bin/pypy3 lib/pypy3.10/site-packages/x.py")
        assert find_environment(root, pypy / "bin" / "pypy3").version == (3, 10)

    def test_second_names_of_lib_count_once(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        (root / ".venv" / "lib64").symlink_to("lib")
        assert find_environment(root).paths == (site,)

    def test_with_the_packages_of_the_base(self, root: Path, tmp_path: Path) -> None:
        config = "include-system-site-packages = true\n"
        site = make_venv(root / ".venv", config=config)
        base = root / "python3.12" / "lib" / "python3.12" / "site-packages"
        base.mkdir(parents=True)
        assert find_environment(root).paths == (site, base)

    def test_pth_and_egg_links_add_folders_and_run_nothing(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        for name in ("one", "two", "three", "four"):
            (root / name).mkdir()
        write(
            site,
            {
                "a.pth": f"# comment\n\n{root / 'one'}\n../../../../two\n{root / 'missing'}\n",
                "b.pth": f"import os; os.abort()\n{root / 'one'}\n",
                "c.egg-link": f"{root / 'three'}\n../\n",
                "d.pth": f"\ufeff{root / 'four'}\r\n",
            },
        )
        paths = find_environment(root).paths
        assert paths == (site, *(root / name for name in ("one", "two", "three", "four")))

    def test_editable_finders_are_parsed(self, root: Path, tmp_path: Path) -> None:
        site = make_venv(root / ".venv")
        work = write(tmp_path / "work", "tool/__init__.py tool/inner.py deep/part/a.py alone.py")
        finder = EDITABLE_FINDER.format(
            tool=str(work / "tool"), part=str(work / "deep/part"), alone=str(work / "alone")
        )
        write(
            site,
            {
                "__editable__.tool-1.0.pth": "import __editable___tool_1_0_finder",
                "__editable___tool_1_0_finder.py": finder,
                "_exact.pth": "import _editable_impl_exact",
                "_editable_impl_exact.py": (
                    "from editables.redirector import RedirectingFinder as F\nF.install()\n"
                    f"F.map_module('exact', {str(work / 'tool' / '__init__.py')!r})\n"
                ),
                "__editable___broken_finder.py": "MAPPING = {",
            },
        )
        found = find_environment(root)
        assert found.editable == {
            "tool": work / "tool",
            "ns.part": work / "deep/part",
            "alone": work / "alone.py",
            "exact": work / "tool",
        }
        finder_ = Finder(source_roots(root), found, None)
        assert path_of(finder_, "tool.inner") == work / "tool/inner.py"
        assert path_of(finder_, "ns.part.a") == work / "deep/part/a.py"
        assert path_of(finder_, "alone") == work / "alone.py"
        assert finder_.submodules("ns") == {"part"}
        assert finder_.submodules("tool") == {"inner"}
        assert finder_.name_of(str(work / "tool/inner.py")) == "tool.inner"
        assert finder_.name_of(str(work / "alone.py")) == "alone"
        assert finder_.origin_of_path(str(work / "tool/inner.py")) is Origin.LIBRARY
        assert finder_.installed("ns.part.a")
        assert not finder_.installed("ns.other")
        namespace = finder_.find("ns")
        assert namespace
        assert namespace.is_namespace


class TestRoots:
    def test_are_the_configured_ones_then_the_project(self, root: Path) -> None:
        write(root, "src/a.py lib/b.py")
        assert source_roots(root) == (root / "src", root)
        assert source_roots(root, ["lib", "missing"]) == (root / "lib", root)

    @pytest.mark.parametrize(
        ("text", "folder"),
        [
            ('[tool.hatch.build.targets.wheel]\npackages = ["lib/app"]', "lib"),
            ('[tool.setuptools.package-dir]\n"" = "lib"', "lib"),
            ('[tool.setuptools.packages.find]\nwhere = ["lib"]', "lib"),
            ('[[tool.poetry.packages]]\ninclude = "app"\nfrom = "lib"', "lib"),
            ('[tool.pdm.build]\npackage-dir = "lib"', "lib"),
            ('[tool.uv.build-backend]\nmodule-root = "lib"', "lib"),
            ('[tool.uv.workspace]\nmembers = ["packages/*"]', "packages/core/src"),
            ('[tool.pytest.ini_options]\npythonpath = ["lib"]', "lib"),
            ('[tool.pytest.ini_options]\npythonpath = "lib"', "lib"),
        ],
    )
    def test_as_build_tools_name_them(self, root: Path, text: str, folder: str) -> None:
        write(root, {"pyproject.toml": text})
        write(root, "lib/app/__init__.py packages/core/src/core/__init__.py")
        assert source_roots(root) == (root / folder, root)

    def test_members_of_a_workspace_see_each_other(self, root: Path) -> None:
        text = '[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/old"]'
        write(root, {"pyproject.toml": text})
        write(root, "packages/a/a.py packages/b/src/b/__init__.py packages/old/c.py other/d.py")
        write(root, "packages/c/lib/c/__init__.py")
        write(root, {"packages/c/pyproject.toml": '[tool.uv.build-backend]\nmodule-root = "lib"'})
        packages = root / "packages"
        siblings = (packages / "b/src", packages / "c/lib")
        assert source_roots(packages / "a") == (*siblings, packages / "a")
        assert source_roots(packages / "old") == (packages / "old",)
        assert source_roots(root / "other") == (root / "other",)

    def test_a_workspace_may_name_its_own_root(self, root: Path) -> None:
        text = '[tool.uv.workspace]\nmembers = [".", "", "packages/*"]'
        write(root, {"pyproject.toml": text})
        write(root, "packages/b/src/b/__init__.py")
        assert source_roots(root) == (root / "packages/b/src", root)

    @pytest.mark.parametrize(
        "text",
        [
            '[tool.uv.sources]\nb = { path = "../b", editable = true }\nc = { git = "x" }',
            '[tool.poetry.dependencies]\npython = "^3.11"\nb = { path = "../b", develop = true }',
        ],
    )
    def test_dependencies_by_path_are_sources_too(self, root: Path, text: str) -> None:
        write(root, {"a/pyproject.toml": text, "a/a.py": "", "b/b.py": ""})
        assert source_roots(root / "a") == (root / "b", root / "a")

    @pytest.mark.parametrize("table", ["packages", "dev-packages"])
    def test_those_of_a_pipfile_too(self, root: Path, table: str) -> None:
        text = f'[{table}]\nx = "*"\na = {{ path = "." }}\nb = {{ editable = true, path = "../b" }}'
        write(root, {"a/Pipfile": text, "a/a.py": "", "b/b.py": ""})
        assert source_roots(root / "a") == (root / "a", root / "b")
        write(root, {"a/Pipfile": text + "\n["})
        assert source_roots(root / "a") == (root / "a",)

    @pytest.mark.parametrize(
        "line",
        [
            "-e ../b",
            "--editable=../b",
            "../b/  # ours",
            "../b[extra]",
            "b @ file:../b",
            "-e ../../b",
        ],
    )
    def test_requirements_by_path_are_sources_too(self, root: Path, line: str) -> None:
        text = f"x==1\n-e .\n-r ../b/base.txt\n./missing\n{line}\n"
        files = {"a/requirements/dev.txt": text, "a/requirements-x.txt": "\x00", "a/a.py": ""}
        write(root, {**files, "b/src/b.py": ""})
        assert source_roots(root / "a") == (root / "b/src", root / "a")

    def test_as_setup_cfg_names_them(self, root: Path) -> None:
        text = "[options]\npackage_dir =\n    = lib\n[options.packages.find]\nwhere = other\n"
        write(root, {"setup.cfg": text, "lib/a.py": "", "other/b.py": ""})
        assert source_roots(root) == (root / "lib", root / "other", root)

    @pytest.mark.parametrize("text", ["[tool", "tool = 1", "[tool]\nhatch = []", "\x00"])
    def test_survive_a_broken_pyproject(self, root: Path, text: str) -> None:
        write(root, {"pyproject.toml": text, "setup.cfg": "[options\n"})
        assert source_roots(root) == (root,)
        assert Versions(root).of(root / "a.py") is None

    @pytest.mark.parametrize(
        ("text", "version"),
        [
            ('[project]\nrequires-python = ">=3.10"', (3, 10)),
            ('[project]\nrequires-python = ">3.9,<4"', (3, 9)),
            ('[project]\nrequires-python = ">=3.11.4"', (3, 11)),
            ('[project]\nrequires-python = "==3.12.*"', (3, 12)),
            ('[project]\nrequires-python = "~=3.10"', (3, 10)),
            ('[tool.poetry.dependencies]\npython = "^3.11"', (3, 11)),
            ('[project]\nrequires-python = "three"', (3, 13)),
            ("", (3, 13)),
        ],
    )
    def test_python_version(self, root: Path, text: str, version: tuple[int, int]) -> None:
        write(root, {"pyproject.toml": text})
        versions = Versions(root, Environment(version=(3, 13)))
        assert versions.of(root / "app.py") == versions.of(root / "app/deep/a.py") == version

    def test_the_nearest_project_says_its_python(self, root: Path) -> None:
        said = '[project]\nrequires-python = "{}"'
        write(root, {"pyproject.toml": said.format(">=3.12"), "b/pyproject.toml": "[project]"})
        write(root, {"a/pyproject.toml": said.format(">=3.8")})
        versions = Versions(root)
        assert versions.of(root / "a/src/t.py") == (3, 8)
        assert versions.of(root / "b/t.py") == versions.of(root / "t.py") == (3, 12)
        assert versions.of("/elsewhere/t.py") == (3, 12)


def path_of(finder: Finder, name: str, near: Path | None = None) -> Path | None:
    found = finder.find(name, str(near) if near else None)
    return Path(found.path) if found else None


def make_finder(root: Path, *configured: str, typeshed: Path | None = None) -> Finder:
    return Finder(source_roots(root, configured), find_environment(root), typeshed)


class TestProjectModules:
    def test_names_and_files(self, root: Path) -> None:
        write(root, "app/__init__.py app/db.py app/api/__init__.py app/api/users.py main.py")
        finder = make_finder(root)
        for name, path in [
            ("app", "app/__init__.py"),
            ("app.db", "app/db.py"),
            ("app.api.users", "app/api/users.py"),
            ("main", "main.py"),
        ]:
            found = finder.find(name)
            package = path.endswith("__init__.py")
            assert found == ModuleFile(name, str(root / path), Origin.PROJECT, package)
            assert finder.name_of(str(root / path)) == name
            assert finder.installed(name)
            assert finder.source(name) == found
        for missing in ("app.nothing", "main.x", "other", "", "app.", ".app", "app..db"):
            assert finder.find(missing) is None
        assert finder.submodules("app") == {"db", "api"}
        assert finder.submodules("main") == frozenset()

    def test_inner_projects_have_their_own_roots(self, root: Path) -> None:
        write(root, "backend/app/__init__.py backend/app/main.py backend/app/db.py")
        finder = make_finder(root)
        main = root / "backend/app/main.py"
        assert path_of(finder, "app.db", main) == root / "backend/app/db.py"
        assert finder.root_for(str(main)) == str(root / "backend")
        assert finder.name_of(str(main)) == "app.main"

    def test_one_file_has_one_name(self, root: Path) -> None:
        write(root, "backend/app/__init__.py backend/app/db.py tests/test_db.py")
        found = make_finder(root).find("backend.app.db", str(root / "tests/test_db.py"))
        assert found
        assert found.name == "app.db"

    def test_projects_without_init_files_start_where_their_settings_are(self, root: Path) -> None:
        write(root, "backend/pyproject.toml backend/app/main.py backend/app/db/models.py")
        write(root, "scripts/run.py service/setup.py service/src/pkg/a.py")
        finder = make_finder(root)
        main = root / "backend/app/main.py"
        assert path_of(finder, "app.db.models", main) == root / "backend/app/db/models.py"
        assert finder.name_of(str(main)) == "app.main"
        assert finder.name_of(str(root / "scripts/run.py")) == "scripts.run"
        assert finder.name_of(str(root / "service/src/pkg/a.py")) == "pkg.a"
        assert finder.submodules("app", str(main)) == {"main", "db"}

    def test_namesakes_are_told_apart_by_the_importer(self, root: Path) -> None:
        write(root, "a/app/__init__.py a/app/db.py b/app/__init__.py b/app/db.py b/app/only.py")
        finder = make_finder(root)
        for side in ("a", "b", "a"):
            near = root / side / "app" / "__init__.py"
            assert path_of(finder, "app.db", near) == root / side / "app/db.py"
        assert path_of(finder, "app.only", root / "a/app/db.py") is None

    def test_packages_start_beside_the_setup_that_installs_them(self, root: Path) -> None:
        write(root, "common/__init__.py common/shared/__init__.py common/shared/run.py")
        write(root, "app/__init__.py app/part/__init__.py app/part/a.py")
        (root / "common/setup.py").write_text("setup(packages=find_packages())")
        (root / "app/setup.py").write_text("setup(packages=['app'], package_dir={'app': '.'})")
        finder = make_finder(root)
        assert finder.name_of(str(root / "common/shared/run.py")) == "shared.run"
        assert finder.name_of(str(root / "app/part/a.py")) == "app.part.a"

    def test_scripts_import_their_neighbours(self, root: Path) -> None:
        write(root, "scripts/run.py scripts/helpers.py scripts/deep/er/x.py docs/conf.py")
        finder = make_finder(root)
        assert path_of(finder, "helpers", root / "scripts/run.py") == root / "scripts/helpers.py"
        assert path_of(finder, "helpers", root / "scripts/deep/er/x.py") is not None
        assert path_of(finder, "helpers", root / "docs/conf.py") is None
        assert path_of(finder, "helpers") is None

    def test_what_tests_are_called_does_not_hide_a_namespace_package(self, root: Path) -> None:
        write(root, "pyproject.toml src/kernel/sql/__init__.py src/app/a.py")
        write(root, "tests/kernel/__init__.py tests/kernel/test_a.py")
        finder = make_finder(root)
        importer = str(root / "src/app/a.py")
        assert finder.root_for(str(root / "tests/kernel/test_a.py")) == str(root / "tests")
        found = finder.find("kernel.sql", importer)
        assert found
        assert found.path == str(root / "src/kernel/sql/__init__.py")

    def test_folders_without_init_of_an_inner_project_belong_to_its_src(self, root: Path) -> None:
        write(root, "server/pyproject.toml server/src/kernel/adapters/sql/__init__.py")
        write(root, "server/src/kernel/adapters/sql/base.py")
        finder = make_finder(root)
        base = str(root / "server/src/kernel/adapters/sql/base.py")
        assert finder.root_for(base) == str(root / "server/src")
        assert finder.name_of(base) == "kernel.adapters.sql.base"

    def test_namespace_packages_of_configured_roots_keep_their_full_name(self, root: Path) -> None:
        write(root, "lib/org/team/app/__init__.py lib/org/team/app/a.py lib/org/tool.py")
        finder = make_finder(root, "lib")
        assert finder.name_of(str(root / "lib/org/team/app/a.py")) == "org.team.app.a"
        namespace = finder.find("org.team")
        assert namespace == ModuleFile(
            "org.team", str(root / "lib/org/team"), Origin.PROJECT, True, is_namespace=True
        )
        assert finder.submodules("org") == {"team", "tool"}

    def test_a_folder_of_data_is_no_package(self, root: Path) -> None:
        write(root, "redis/redis.conf redis/conf.d/x.conf")
        assert make_finder(root).find("redis") is None
        assert not make_finder(root).installed("redis")

    def test_names_are_spelled_as_on_disk(self, root: Path) -> None:
        write(root, "App/__init__.py")
        assert make_finder(root).find("app") is None

    def test_a_file_outside_of_everything_is_named_by_its_packages(
        self, root: Path, tmp_path: Path
    ) -> None:
        write(tmp_path, "loose.py other/pkg/__init__.py other/pkg/a.py")
        finder = make_finder(root)
        assert finder.name_of(str(tmp_path / "loose.py")) == "loose"
        assert finder.name_of(str(tmp_path / "other/pkg/a.py")) == "pkg.a"
        assert finder.origin_of_path(str(tmp_path / "loose.py")) is Origin.PROJECT
        near = tmp_path / "other/pkg/a.py"
        assert path_of(finder, "pkg", near) == tmp_path / "other/pkg/__init__.py"

    def test_a_project_may_itself_lie_in_site_packages(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        write(site, "app/__init__.py app/main.py lib/__init__.py lib/py.typed")
        environment = find_environment(root)
        finder = Finder(source_roots(site / "app"), environment, None)
        main = site / "app/main.py"
        assert finder.name_of(str(main)) == "app.main"
        assert finder.origin_of_path(str(main)) is Origin.PROJECT
        found = finder.find("app", str(main))
        assert found == ModuleFile("app", str(site / "app/__init__.py"), Origin.PROJECT, True)
        library = finder.find("lib", str(main))
        assert library == ModuleFile("lib", str(site / "lib/__init__.py"), Origin.LIBRARY, True)


class TestLibraryModules:
    def test_source_stubs_and_what_is_only_bundled(self, root: Path, tmp_path: Path) -> None:
        """A stub package, a stub beside the source, typed source, a bundled stub, the source."""
        site = make_venv(root / ".venv")
        write(site, "a/__init__.py a-stubs/__init__.pyi b/__init__.py b/__init__.pyi")
        write(site, "c/__init__.py c/py.typed c/sub/x.py d/__init__.py d/x.py e/__init__.py")
        typeshed = write(
            tmp_path / "typeshed",
            "stdlib/os/__init__.pyi stdlib/os/path.pyi stubs/d-lib/d/__init__.pyi"
            " stubs/c-lib/c/__init__.pyi stubs/c-lib/c/sub/x.pyi stubs/f/f/__init__.pyi"
            " stubs/g/g.pyi",
        )
        finder = make_finder(root, typeshed=typeshed)
        for name, path, origin in [
            ("a", site / "a-stubs/__init__.pyi", Origin.STUB),
            ("b", site / "b/__init__.pyi", Origin.STUB),
            ("c", site / "c/__init__.py", Origin.LIBRARY),
            ("c.sub.x", site / "c/sub/x.py", Origin.LIBRARY),
            ("d", typeshed / "stubs/d-lib/d/__init__.pyi", Origin.TYPESHED),
            ("d.x", site / "d/x.py", Origin.LIBRARY),
            ("e", site / "e/__init__.py", Origin.LIBRARY),
            ("f", typeshed / "stubs/f/f/__init__.pyi", Origin.TYPESHED),
            ("g", typeshed / "stubs/g/g.pyi", Origin.TYPESHED),
            ("os.path", typeshed / "stdlib/os/path.pyi", Origin.TYPESHED),
        ]:
            found = finder.find(name)
            assert found, name
            assert (found.name, Path(found.path), found.origin) == (name, path, origin)
            assert finder.name_of(found.path) == name
            assert finder.origin_of_path(found.path) is origin
        for name in ("a", "b", "c", "d"):
            source = finder.source(name)
            assert source, name
            assert Path(source.path) == site / name / "__init__.py"
        assert [finder.source(name) for name in ("f", "g", "os")] == [None] * 3
        installed = {n: finder.installed(n) for n in ("a", "c.sub.x", "os", "f", "g", "os.no")}
        assert [name for name, yes in installed.items() if yes] == ["a", "c.sub.x", "os"]
        assert finder.submodules("os") == {"path"}
        assert finder.submodules("d") == {"x"}

    def test_stub_packages_may_be_partial(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        write(site, "a/__init__.py a/x.py a/y.py a-stubs/x.pyi")
        finder = make_finder(root)
        assert path_of(finder, "a") == site / "a/__init__.py"
        assert path_of(finder, "a.x") == site / "a-stubs/x.pyi"
        assert path_of(finder, "a.y") == site / "a/y.py"
        assert finder.submodules("a") == {"x", "y"}

    def test_compiled_modules_have_no_source(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        write(site, "fast.cpython-312-x86_64-linux-gnu.so pkg/__init__.py pkg/core.abi3.so")
        write(site, "win.pyd typed.so typed.pyi")
        finder = make_finder(root)
        for name in ("fast", "pkg.core", "win"):
            assert finder.find(name) is None
            assert finder.source(name) is None
            assert finder.installed(name)
        assert path_of(finder, "typed") == site / "typed.pyi"
        assert finder.submodules("pkg") == {"core"}

    def test_namespace_packages_are_put_together(self, root: Path, tmp_path: Path) -> None:
        site = make_venv(root / ".venv")
        write(tmp_path, "more/google/b/__init__.py")
        write(site, {"google/a/__init__.py": "", "more.pth": str(tmp_path / "more")})
        write(root, "google/c.py")
        typeshed = write(tmp_path / "typeshed", "stubs/d/google/d/__init__.pyi")
        finder = make_finder(root, typeshed=typeshed)
        assert finder.submodules("google") == {"a", "b", "c", "d"}
        assert path_of(finder, "google.a") == site / "google/a/__init__.py"
        assert path_of(finder, "google.b") == tmp_path / "more/google/b/__init__.py"
        assert path_of(finder, "google.c") == root / "google/c.py"
        assert path_of(finder, "google.d") == typeshed / "stubs/d/google/d/__init__.pyi"
        assert not finder.installed("google.d")

    def test_a_regular_package_beats_folders_of_its_name(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        write(site, "docker/__init__.py docker/client.py docker/py.typed")
        write(root, "docker/scripts/build.py queue/jobs.py")
        finder = make_finder(root, typeshed=find_typeshed())
        assert path_of(finder, "docker.client") == site / "docker/client.py"
        found = finder.find("queue")
        assert found
        assert found.origin is Origin.TYPESHED

    def test_the_project_hides_the_library_but_not_from_itself(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        write(site, "config/__init__.py lib/__init__.py")
        write(root, "config.py email/__init__.py tools/json.py tools/x.py")
        finder = make_finder(root, typeshed=find_typeshed())
        assert path_of(finder, "config", root / "a.py") == root / "config.py"
        assert path_of(finder, "config", site / "lib/__init__.py") == site / "config/__init__.py"
        assert path_of(finder, "email") == root / "email/__init__.py"
        assert finder.find("email.message") is None
        found = finder.find("json", str(root / "tools/x.py"))
        assert found
        assert found.origin is Origin.TYPESHED

    def test_own_editable_installs_belong_to_the_project(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        write(site, {"_core.pth": str(root / "packages/core/lib")})
        write(root, "packages/core/lib/core/__init__.py packages/core/lib/org/x/__init__.py")
        finder = make_finder(root)
        found = finder.find("core")
        assert found
        assert found.origin is Origin.PROJECT
        assert finder.name_of(str(root / "packages/core/lib/org/x/__init__.py")) == "org.x"

    def test_other_environments_in_the_project_are_not_the_project(self, root: Path) -> None:
        make_venv(root / ".venv")
        other = write(make_venv(root / "old", "3.9"), "x/__init__.py")
        finder = make_finder(root)
        assert finder.origin_of_path(str(other / "x/__init__.py")) is Origin.LIBRARY
        assert finder.origin_of_path(str(root / ".venv/bin/x.py")) is Origin.LIBRARY
        assert finder.find("x") is None

    def test_typeshed_knows_which_python_has_a_module(self, root: Path, tmp_path: Path) -> None:
        make_venv(root / ".venv", "3.12")
        typeshed = write(
            tmp_path / "typeshed",
            {
                "stdlib/VERSIONS": "# c\nimp: 3.0-3.11\nnew: 3.13-\nos: 3.0-\nos.later: 3.13-\n",
                "stdlib/imp.pyi": "",
                "stdlib/new.pyi": "",
                "stdlib/os/__init__.pyi": "",
                "stdlib/os/later.pyi": "",
            },
        )
        finder = make_finder(root, typeshed=typeshed)
        known = {n: finder.find(n) is not None for n in ("imp", "new", "os", "os.later")}
        assert known == {"imp": False, "new": False, "os": True, "os.later": False}

    def test_the_bundled_stubs(self, root: Path) -> None:
        """Those of jedi: the standard library and packages that need not be installed."""
        finder = make_finder(root, typeshed=find_typeshed())
        for name in ("asyncio.tasks", "requests.sessions", "psycopg2", "yaml", "django.db"):
            found = finder.find(name)
            assert found, name
            assert found.origin is Origin.TYPESHED
            assert finder.name_of(found.path) == name
        assert finder.installed("asyncio")
        assert not finder.installed("requests")


class TestChanges:
    def test_a_buffer_shadows_the_file(self, root: Path) -> None:
        write(root, {"a.py": "disk\r\n"})
        path = str(root / "a.py")
        disk = Disk()
        before = disk.signature(path)
        assert disk.read(path) == "disk\r\n"
        disk.open(path, "buffer")
        assert disk.read(path) == "buffer"
        first = disk.signature(path)
        disk.open(path, "buffer")
        assert len({before, first, disk.signature(path)}) == 3
        assert disk.is_open(path)
        disk.close(path)
        assert (disk.read(path), disk.signature(path)) == ("disk\r\n", before)
        assert not disk.is_open(path)

    def test_reading_fails_as_the_file_does(self, root: Path) -> None:
        (root / "latin.py").write_bytes(b"\n\n\nx = '\xe9'\n")
        (root / "cookie.py").write_bytes(b"# coding: latin-1\nx = '\xe9'\n")
        (root / "unknown.py").write_bytes(b"# coding: nothing\n")
        disk = Disk()
        assert disk.read(str(root / "cookie.py")).endswith("'é'\n")
        with pytest.raises(UnicodeDecodeError):
            disk.read(str(root / "latin.py"))
        with pytest.raises(SyntaxError):
            disk.read(str(root / "unknown.py"))
        with pytest.raises(FileNotFoundError):
            disk.read(str(root / "missing.py"))
        assert disk.signature(str(root / "missing.py")) is None

    def test_a_new_buffer_is_a_module(self, root: Path) -> None:
        write(root, "app/__init__.py")
        finder = make_finder(root)
        assert finder.find("app.new") is None
        assert finder.find("fresh.deep") is None
        finder.disk.open(str(root / "app/new.py"), "")
        finder.disk.open(str(root / "fresh/deep.py"), "")
        assert path_of(finder, "app.new") == root / "app/new.py"
        assert path_of(finder, "fresh.deep") == root / "fresh/deep.py"
        assert finder.submodules("app") == {"new"}
        finder.disk.close(str(root / "app/new.py"))
        assert finder.find("app.new") is None
        assert finder.submodules("app") == frozenset()

    def test_files_that_come_and_go(self, root: Path) -> None:
        finder = make_finder(root)
        names = ("app", "app.a", "lib.deep.b")
        assert [finder.find(name) for name in names] == [None] * 3
        write(root, "app/__init__.py app/a.py lib/__init__.py lib/deep/__init__.py lib/deep/b.py")
        finder.invalidate([str(root / "app/__init__.py"), str(root / "lib/deep/b.py")])
        assert [finder.find(name) is not None for name in names] == [True] * 3
        (root / "app/a.py").unlink()
        finder.invalidate([str(root / "app/a.py")])
        assert finder.find("app.a") is None

    def test_a_folder_that_goes(self, root: Path) -> None:
        write(root, "app/__init__.py app/deep/__init__.py")
        finder = make_finder(root)
        assert finder.find("app.deep")
        (root / "app").rename(root / "other")
        finder.invalidate([str(root / "app"), str(root / "other")])
        assert finder.find("app.deep") is None
        assert path_of(finder, "other.deep") == root / "other/deep/__init__.py"

    def test_a_package_that_is_installed(self, root: Path) -> None:
        site = make_venv(root / ".venv")
        finder = make_finder(root, typeshed=find_typeshed())
        assert not finder.installed("httpx")
        write(site, "httpx/__init__.py")
        finder.invalidate([str(site / "httpx")])
        assert finder.installed("httpx")

    def test_a_change_of_content_forgets_nothing(self, root: Path) -> None:
        write(root, "app/__init__.py app/a.py")
        finder = make_finder(root)
        finder.find("app.a")
        before = finder.disk.generation
        write(root, {"app/a.py": "changed"})
        finder.invalidate([str(root / "app/a.py")])
        finder.disk.open(str(root / "app/a.py"), "typed")
        finder.disk.close(str(root / "app/a.py"))
        assert finder.disk.generation == before

    def test_an_inner_project_met_later_is_found_from_then_on(self, root: Path) -> None:
        write(root, "backend/app/__init__.py backend/app/db.py")
        finder = make_finder(root)
        assert finder.find("app.db") is None
        finder.find("os", str(root / "backend/app/db.py"))
        assert path_of(finder, "app.db") == root / "backend/app/db.py"
