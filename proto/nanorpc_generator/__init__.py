# proto/nanorpc_generator/__init__.py - the generator behind the plugins, a package of modules.
# Layer: generator, runs on the host. Source: none.
# SPDX-License-Identifier: Apache-2.0
"""What happens, module by module:

with_nanopb  nanopb's own generator, whose reading of .options files and whose sizes are used
names        what may be a name in C and C++, and names that no two files share
preparing    what protoc sends, made into what nanopb and C can take
reading      that, as messages, services and methods
checking     all that is wrong with them, as the user reads it
text         what the files are called, and how their comments are laid out
messages     NAME.pb.h and NAME.pb.c, for proto/protoc-gen-nanopb; Google's messages
servers      NAME.nrpc.h
tables       NAME.nrpc.c
clients      NAME.client.h and NAME.client.c
handlers     NAME.handlers.c
descriptors  NAME.desc.c
main         a request of protoc becomes its response"""
