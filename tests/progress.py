"""A callback of scikit-learn that keeps what it is told."""


class Progress:
    """Counts the tasks that end; asks to stop after so many of a name."""

    def __init__(self, stop_after=10**9, name="iteration"):
        self.stop_after, self.name, self.ended = stop_after, name, []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)
        return self.ended.count(self.name) >= self.stop_after

    def teardown(self, estimator, context):
        pass
