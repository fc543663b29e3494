from landmark_zoo.data.download.dead_links import DeadLinks
from landmark_zoo.data.download.picture_address import PictureAddress


def test_lines_stay(tmp_path):
    links = DeadLinks(tmp_path / "dead.csv")
    links.add(PictureAddress("a", "http://x/1,2\n"), '404 "gone"')
    links.add(PictureAddress("b", "http://x/3"), "not a picture")
    assert DeadLinks(tmp_path / "dead.csv").ids == links.ids == {"a", "b"}


def test_a_line_that_was_cut_is_dropped(tmp_path):
    (tmp_path / "dead.csv").write_text("id,url,reason\na,http://x,404\nb,http://y,40")
    assert DeadLinks(tmp_path / "dead.csv").ids == {"a"}
    assert (tmp_path / "dead.csv").read_text() == "id,url,reason\na,http://x,404\n"
