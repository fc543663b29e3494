import faiss
import pytest


@pytest.fixture(scope="package", autouse=True)
def _one_thread():
    """On small indexes beside busy cores, faiss spends its time waiting for its threads."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(before)
