/** Questions that a test answers itself, and that can be cancelled like real ones. */
import type { Answer, RecordType } from '../../src/core/resolver.ts';
import type { SharedQuestionsOptions } from '../../src/dns/shared-questions.ts';

/** `onCancel` is called for each question that is cancelled before it is answered. */
export function sending(
  answer: (name: string, type: RecordType, deadline: number) => Promise<Answer<RecordType>>,
  onCancel: (name: string, type: RecordType) => void = () => undefined,
): SharedQuestionsOptions['send'] {
  return (name, type, deadline) => {
    let cancel: () => void = () => undefined;
    const cancelled = new Promise<Answer<RecordType>>((resolve) => {
      cancel = () => {
        onCancel(name, type);
        resolve({ status: 'temperror', detail: 'cancelled' });
      };
    });
    return { answer: Promise.race([answer(name, type, deadline), cancelled]), cancel };
  };
}
