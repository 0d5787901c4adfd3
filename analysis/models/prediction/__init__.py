"""Predictions for a state that the model has not seen, and what they are worth."""

from analysis.models.prediction.held_out import HeldOut, k_fold, leave_one_state_out, predict_held_out

__all__ = ["HeldOut", "k_fold", "leave_one_state_out", "predict_held_out"]
