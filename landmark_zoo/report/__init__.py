"""Reports: one HTML page on a training run and its results, on a data set, or on a study."""

from landmark_zoo.core.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, {
    "attention_overlays": "landmark_zoo.report.attention",
    "overlay": "landmark_zoo.report.attention",
    "read_training_run": "landmark_zoo.report.training_run",
    "write_analysis_page": "landmark_zoo.report.analysis_page",
    "write_recognition_page": "landmark_zoo.report.report",
    "write_report": "landmark_zoo.report.report",
    "write_study": "landmark_zoo.report.study",
})
