# SPDX-License-Identifier: Apache-2.0
"""The contract test: walks every operation of the contract and of the server against real parts."""
