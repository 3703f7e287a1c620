# SPDX-License-Identifier: Apache-2.0
"""What end-to-end tests stand on: the daemon, its control socket, network namespaces, frames."""
