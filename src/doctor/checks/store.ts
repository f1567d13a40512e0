/** Whether the store of the farm works from here. */
import { defineDoctorCheck, diagnosis } from '../diagnosis.ts';

export const storeCheck = defineDoctorCheck({
  topic: 'Farm',
  diagnoses: {
    'store-works': {
      severity: 'ok',
      meaning: 'The store of --store lets us in, and does each command that we need.',
      cure: null,
    },
    'store-unusable': {
      severity: 'warning',
      meaning:
        'The store of --store does not do what the service needs of it. Mail goes on; each host works with what it knows itself.',
      cure: 'What is wrong is in the text. If a command is not possible, or a key not allowed, compare the rights of the user with those of docs/farm.md; the server has the name of the command under ACL LOG.',
    },
  },
  run({ options: { store }, storeAilment = null }) {
    if (store === null) return [];
    if (storeAilment === null) return [diagnosis('store-works', `${store.text} works`)];
    return [diagnosis('store-unusable', `${store.text} does not work: ${storeAilment}`)];
  },
});
