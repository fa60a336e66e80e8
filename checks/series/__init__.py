"""The predictive distribution of the next point of a series."""

from checks.series.calendar import Calendar, calendar_of
from checks.series.panel import Forecast, forecast_panel
from checks.series.predictive import AbsoluteT, StudentT

__all__ = ["AbsoluteT", "Calendar", "Forecast", "StudentT", "calendar_of", "forecast_panel"]
