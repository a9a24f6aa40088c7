# proto/nanorpc_generator/__init__.py - the generator behind proto/protoc-gen-nanorpc, a package of modules.
# Layer: generator, runs on the host. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""What happens, module by module:

with_nanopb  nanopb's own generator, whose reading of .options files and whose sizes are used
names        what may be a name in C and C++, and names that no two files share
reading      what protoc sends, as messages, services and methods
checking     all that is wrong with them, as the user reads it
text         what the files are called, and how their comments are laid out
servers      NAME.nrpc.h
tables       NAME.nrpc.c
clients      NAME.client.h and NAME.client.c
descriptors  NAME.desc.c
main         a request of protoc becomes its response"""
