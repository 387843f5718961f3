"""What every gateway has at its door: sockets to listen on, how often strangers may knock, whether a peer takes what it is given.

The one room that several gateways use; it knows no protocol and none of them.
"""
