/** Whether the store of the farm works from here. */
import { defineDoctorCheck, diagnosis } from '../diagnosis.ts';

export const storeCheck = defineDoctorCheck({
  topic: 'Farm',
  diagnoses: {
    'store-works': {
      severity: 'ok',
      meaning: 'The store of --store lets us in, runs our scripts and can be written to.',
      cure: null,
    },
    'store-unusable': {
      severity: 'warning',
      meaning:
        'The store of --store does not do what the service needs of it. Mail goes on; each host works with what it knows itself.',
      cure: 'What it said is in the text. docs/farm.md has the rights that the user needs.',
    },
  },
  run({ options: { store }, storeAilment = null }) {
    if (store === null) return [];
    if (storeAilment === null) return [diagnosis('store-works', `${store.text} works`)];
    return [diagnosis('store-unusable', `${store.text} does not work: ${storeAilment}`)];
  },
});
