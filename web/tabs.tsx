/** Tabs as the ARIA Authoring Practices have them: one is in the tab order, arrows move between them. */
import type { ComponentChildren, JSX, TargetedKeyboardEvent } from 'preact';
import { useRef } from 'preact/hooks';

export interface Tab {
  readonly id: string;
  readonly label: string;
  /** A number beside the label, null while it is worked out. */
  readonly note?: string | null;
  /** Characters that the note may come to: it has their room, so that no tab moves under the pointer. */
  readonly room?: number;
}

interface TabsProps {
  readonly tabs: readonly Tab[];
  readonly chosen: string;
  readonly onTab: (id: string) => void;
  readonly children: ComponentChildren;
}

export function Tabs({ tabs, chosen, onTab, children }: TabsProps): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const go = (event: TargetedKeyboardEvent<HTMLButtonElement>): void => {
    const at = tabs.findIndex(({ id }) => id === chosen);
    const moves = new Map([
      ['ArrowRight', at + 1],
      ['ArrowLeft', at - 1],
      ['Home', 0],
      ['End', -1],
    ]);
    const to = moves.get(event.key);
    const tab = to === undefined ? undefined : tabs.at(to % tabs.length);
    if (tab === undefined) return;
    event.preventDefault();
    onTab(tab.id);
    list.current?.querySelector<HTMLButtonElement>(`#tab-${tab.id}`)?.focus();
  };
  return (
    <section class="card tabs">
      <div role="tablist" aria-label="Views" ref={list}>
        {tabs.map(({ id, label, note, room = 1 }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === chosen}
            aria-controls="view"
            tabIndex={id === chosen ? 0 : -1}
            onKeyDown={go}
            onClick={() => {
              onTab(id);
            }}
          >
            {label}
            {note !== undefined && (
              <span class="note" aria-busy={note === null} style={{ minWidth: `${room}ch` }}>
                {note ?? '…'}
              </span>
            )}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="view" aria-labelledby={`tab-${chosen}`}>
        {children}
      </div>
    </section>
  );
}
