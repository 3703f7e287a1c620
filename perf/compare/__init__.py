# SPDX-License-Identifier: Apache-2.0
"""The switch beside its peers: the same frames through each in turn, on one worker core, in one run."""
