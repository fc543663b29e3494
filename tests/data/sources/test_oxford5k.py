from landmark_zoo.data.sources.oxford5k import oxford5k, oxford5k_photographs


def test_photographs_and_texts():
    assert [(file.path, file.unpack_to, file.flatten) for file in oxford5k().files] == [
        ("oxford5k/.archives/oxbuild_images-v1.tgz", "oxford5k/jpg", True),
        ("oxford5k/.archives/gt_files_170407.tgz", "oxford5k/lab", True)]
    assert oxford5k().files[:1] == oxford5k_photographs()
