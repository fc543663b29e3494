from landmark_zoo.data.sources.gldv2 import gldv2, gldv2_benchmark

BASE = "https://s3.amazonaws.com/google-landmark"


def test_training_archives_are_those_of_the_publishers():
    files = gldv2("gldv2").files
    archives = [file for file in files if file.unpack_to]
    assert len(archives) == 500
    assert archives[0].url == f"{BASE}/train/images_000.tar"
    assert archives[499].url == f"{BASE}/train/images_499.tar"
    assert archives[7].md5_url == f"{BASE}/md5sum/train/md5.images_007.txt"
    assert {file.unpack_to for file in archives} == {"gldv2/train"}
    assert {f"{BASE}/metadata/train.csv", f"{BASE}/metadata/train_clean.csv"} < {file.url for file in files}
    assert gldv2("gldv2_clean").files == files


def test_index_and_queries():
    files = gldv2_benchmark().files
    assert sum(file.unpack_to == "gldv2/index" for file in files) == 100
    assert sum(file.unpack_to == "gldv2/test" for file in files) == 20
    assert f"{BASE}/ground_truth/retrieval_solution_v2.1.csv" in {file.url for file in files}
