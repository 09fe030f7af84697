/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device.h: endpoints as COM sees them. */
#pragma once

#include "script.h"

/* Each has one reference, the caller's. */
SaObject *sa_device_new (unsigned endpoint);
SaObject *sa_collection_new (EDataFlow flow, DWORD states);
SaObject *sa_properties_new (unsigned endpoint);
SaObject *sa_endpoint_volume_new (unsigned endpoint);
SaObject *sa_enumerator_new (void);
SaObject *sa_factory_new (void);
