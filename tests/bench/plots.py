# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of figures, one PNG each, in one look. Needs matplotlib, which draws without a display."""

import os

WIDTH, HEIGHT, DPI = 8, 4.5, 110


class Draw:
    """Each method writes NAME.png; `files` are those written, with their titles."""

    def __init__(self, directory):
        import matplotlib
        matplotlib.use('Agg')
        from matplotlib import pyplot
        self._pyplot = pyplot
        self._directory = directory
        self.files = []

    def bars(self, name, title, labels, series):
        """One group of bars per label; `series` is {legend: values}, None where there is none."""
        axes = self._axes()
        width = 0.8 / len(series)
        for index, (legend, values) in enumerate(series.items()):
            places = [place + (index - (len(series) - 1) / 2) * width for place in range(len(labels))]
            axes.bar(places, [value or 0 for value in values], width, label=legend)
        axes.set_xticks(range(len(labels)), labels, rotation=20 if len(labels) > 4 else 0, ha='right' if len(labels) > 4
                        else 'center', fontsize=8)
        if len(series) > 1:
            axes.legend()
        self._save(name, title, axes)

    def boxes(self, name, title, samples):
        """The spread of each subject's runs: every run is a point."""
        axes = self._axes()
        axes.boxplot(list(samples.values()), showfliers=False)
        for place, values in enumerate(samples.values(), 1):
            axes.plot([place] * len(values), values, '.', color='black', alpha=0.5)
        axes.set_xticks(range(1, len(samples) + 1), list(samples), fontsize=8)
        axes.set_ylim(bottom=0)
        self._save(name, title, axes)

    def distribution(self, name, title, samples):
        """Which part of the values is below x."""
        axes = self._axes()
        for legend, values in samples.items():
            ordered = sorted(values)
            axes.plot(ordered, [(index + 1) / len(ordered) for index in range(len(ordered))], label=legend)
        axes.axhline(0.99, color='grey', linewidth=0.5)
        axes.set_xlabel('ms')
        axes.set_ylabel('part of the clicks')
        axes.legend()
        self._save(name, title, axes)

    def lines(self, name, x_title, y_title, series):
        """{legend: {x: y}}, logarithmic in x: a cost that does not grow is flat."""
        axes = self._axes()
        for legend, points in series.items():
            axes.plot(list(points), list(points.values()), 'o-', label=legend)
        axes.set_xscale('log')
        axes.set_ylim(bottom=0)
        axes.set_xlabel(x_title)
        axes.set_ylabel(y_title)
        axes.legend()
        self._save(name, f'{y_title}, by {x_title}', axes)

    def _axes(self):
        return self._pyplot.figure(figsize=(WIDTH, HEIGHT)).add_subplot()

    def _save(self, name, title, axes):
        axes.set_title(title)
        axes.grid(True, alpha=0.3)
        axes.figure.tight_layout()
        axes.figure.savefig(os.path.join(self._directory, name + '.png'), dpi=DPI)
        self._pyplot.close(axes.figure)
        self.files.append((name + '.png', title))
