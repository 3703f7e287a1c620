# SPDX-License-Identifier: Apache-2.0
"""Other people's ends of a tunnel. Each peer is a namespace with underlay addresses on its end of a cable, and gives stations:
namespaces whose interface `net1` is in a VNI, as a pod's is in a segment."""
