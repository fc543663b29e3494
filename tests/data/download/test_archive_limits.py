from landmark_zoo.data.download.archive_limits import ArchiveLimits


def test_small_archives_have_a_floor_and_large_ones_a_ratio():
    assert ArchiveLimits(ratio=20, floor=1000).bytes_for(10) == 1000
    assert ArchiveLimits(ratio=20, floor=1000).bytes_for(100) == 2000
