/* nanorpc/scalars.h - nanopb made smaller, for images whose messages have single scalars alone.
 * Layer: core, public; knows nanopb. Source: nanopb's pb.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NANORPC_SCALARS_H
#define NANORPC_SCALARS_H

/* For `-include nanorpc/scalars.h`, before all files of an image: nanopb's, what it and nanorpc
 * have generated, nanorpc's and the application's. Then nanopb is compiled for fields that are
 * neither repeated nor in a oneof, of protobuf's scalar types (string and bytes with a bound are of
 * these) or an enum, `optional` or not: 2.6 KB of flash less on a Cortex-M3. A message with another
 * field does not compile:
 *
 *     error: negative width in bit-field 'field_3_is_no_single_scalar_see_nanorpc_scalars_h'
 *
 * On the wire nothing changes: fields that a message does not have, of whatever kind, are read
 * over. */
#include <pb.h>

/* nanopb asks these what a field is; what they never say the compiler leaves out. */
#undef PB_ATYPE
#undef PB_HTYPE
#undef PB_LTYPE
#define PB_ATYPE(type) PB_ATYPE_STATIC
#define PB_HTYPE(type) PB_HTYPE_SINGULAR
#define PB_LTYPE(type) ((type) & NRPC_SCALARS_LAST_)

enum { NRPC_SCALARS_LAST_ = PB_LTYPE_STRING /* the types up to it are the scalars */ };

/* nanopb counts each message's fields with this one, in a constant expression. */
#undef PB_GEN_FIELD_COUNT
#define PB_GEN_FIELD_COUNT(structname, atype, htype, ltype, fieldname, tag) \
    NRPC_SCALARS_COUNT_(tag, PB_ATYPE_##atype | PB_HTYPE_##htype | PB_LTYPE_MAP_##ltype)
#define NRPC_SCALARS_COUNT_(tag, type)                                     \
    +(sizeof(struct {                                                      \
          unsigned field_##tag##_is_no_single_scalar_see_nanorpc_scalars_h \
              : ((type) & ~NRPC_SCALARS_LAST_) == PB_HTYPE_SINGULAR        \
              ? 1                                                          \
              : -1;                                                        \
      }) != 0)

#endif
