"""Indexes behind one interface (`Index`): faiss on one machine, Milvus beyond it."""
