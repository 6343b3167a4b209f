// Finds faults of a page's layout at many widths. The page's HTML stands in a frame whose width
// changes, so that a page is loaded once for all widths.

export type Measured = {
  path: string;
  widths: number[];
  height: number;
  /** Opens every `<details>`. */
  open?: boolean;
};

/**
 * Runs in a page of the same site: returns one sentence per fault, with the widths at which it
 * occurs.
 */
export async function layoutFaults({ path, widths, height, open }: Measured): Promise<string[]> {
  const source = await fetch(path, { headers: { accept: 'text/html' } });
  const parsed = new DOMParser().parseFromString(await source.text(), 'text/html');
  // The frame shows what the server rendered.
  parsed.querySelectorAll('script, link:not([rel=stylesheet])').forEach((element) => element.remove());
  if (open) parsed.querySelectorAll('details').forEach((details) => details.setAttribute('open', ''));
  const frame = document.createElement('iframe');
  frame.style.cssText = `position: fixed; inset: 0 auto auto 0; z-index: 9; border: 0; inline-size: 1000px; block-size: ${height}px`;
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  frame.srcdoc = `<!doctype html>${parsed.documentElement.outerHTML}`;
  document.body.append(frame);
  await loaded;
  const view = frame.contentWindow!;
  const page = frame.contentDocument!;
  if (page.styleSheets.length === 0) throw new Error(`${path} has no style sheet`);

  type Part = { box: Box; hidden: boolean; boxless: boolean; card: boolean; scrolls: boolean; scrollsDown: boolean; clips: boolean; shortens: boolean };
  type Box = { left: number; right: number; top: number; bottom: number };
  const named = (element: Element) => {
    const text = (element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40);
    const classes = typeof element.className === 'string' && element.className ? `.${element.className.trim().replace(/\s+/g, '.')}` : '';
    return `<${element.localName}${classes}> “${text}”`;
  };
  const texts: Text[] = [];
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    if (node.data.trim() && !node.parentElement!.closest('option, script, style, title, desc')) texts.push(node);
  }
  const controls = [...page.body.querySelectorAll('button, input:not([type=hidden]), select, textarea, svg, img, summary, .button')];
  const pen = document.createElement('canvas').getContext('2d')!;
  const found = new Map<string, number[]>();

  for (const width of widths) {
    frame.style.inlineSize = `${width}px`;
    const parts = new Map<Element, Part>();
    const part = (element: Element): Part => {
      const known = parts.get(element);
      if (known) return known;
      const { clipPath, display, overflowX, overflowY, textOverflow, backgroundColor, borderLeftStyle, borderLeftWidth, borderRightWidth } = view.getComputedStyle(element);
      const parent = element.parentElement;
      const filled = backgroundColor !== 'rgba(0, 0, 0, 0)' && backgroundColor !== 'transparent';
      const bordered = borderLeftStyle !== 'none' && parseFloat(borderLeftWidth) > 0 && parseFloat(borderRightWidth) > 0;
      const made = {
        box: element.getBoundingClientRect(),
        // For screen readers only.
        hidden: clipPath === 'inset(50%)' || (parent !== null && part(parent).hidden),
        boxless: display === 'contents',
        card: display !== 'inline' && element.localName !== 'svg' && element !== page.body && (filled || bordered),
        scrolls: element !== page.body && (overflowX === 'auto' || overflowX === 'scroll'),
        scrollsDown: overflowY === 'auto' || overflowY === 'scroll',
        clips: element.localName !== 'svg' && (overflowX === 'hidden' || overflowX === 'clip'),
        shortens: textOverflow === 'ellipsis',
      };
      parts.set(element, made);
      return made;
    };
    const fault = (sentence: string) => {
      const at = found.get(sentence) ?? [];
      if (at.at(-1) !== width) at.push(width);
      found.set(sentence, at);
    };
    const across = page.documentElement.clientWidth;
    if (across !== width) throw new Error(`the frame is ${across} px wide instead of ${width}`);
    if (page.documentElement.scrollWidth > across) fault('the page scrolls sideways');

    const hidden = (element: Element) => !element.checkVisibility({ visibilityProperty: true }) || part(element).hidden;
    /** Checks a box against its ancestors; false if only scrolling shows it. */
    const fits = (box: Box, owner: Element, name: () => string): boolean => {
      let card = false;
      for (let at: Element | null = owner; at && at !== page.documentElement; at = at.parentElement) {
        const around = part(at);
        if (around.boxless) continue;
        const beside = box.left < around.box.left - 1 || box.right > around.box.right + 1;
        if (around.scrolls) return !beside;
        if (around.clips && beside) {
          if (!around.shortens || !at.closest('[title]')) fault(`${name()} is cut`);
          return false;
        }
        if (!card && around.card) {
          card = true;
          if (beside || (!around.scrollsDown && (box.top < around.box.top - 4 || box.bottom > around.box.bottom + 4))) fault(`${name()} stands outside ${named(at).split(' “')[0]}`);
        }
      }
      if (box.left < -1 || box.right > across + 1) fault(`${name()} stands outside the window`);
      return true;
    };

    const placed: { box: Box; owner: Element; text: boolean }[] = [];
    const range = page.createRange();
    for (const node of texts) {
      const owner = node.parentElement!;
      if (hidden(owner)) continue;
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width < 1 || box.height < 1) continue;
        if (fits(box, owner, () => named(owner))) placed.push({ box, owner, text: true });
      }
    }
    for (const owner of controls) {
      if (hidden(owner)) continue;
      const box = owner.getBoundingClientRect();
      if (box.width < 1 || box.height < 1) continue;
      if (fits(box, owner.parentElement!, () => named(owner)) && !(owner instanceof view.SVGElement)) placed.push({ box, owner, text: false });
    }

    for (const select of page.querySelectorAll('select')) {
      if (hidden(select)) continue;
      const { fontWeight, fontSize, fontFamily, paddingLeft, paddingRight } = view.getComputedStyle(select);
      pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
      // The arrow and the browser's own padding take some 24 pixels.
      const room = select.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - 24;
      if (pen.measureText(select.selectedOptions[0]?.text ?? '').width > room) fault(`${named(select).split(' “')[0]} “${select.selectedOptions[0].text}” is cut`);
    }

    // Text may only stand on the control that it belongs to.
    placed.sort((a, b) => a.box.top - b.box.top);
    for (let first = 0; first < placed.length; first++) {
      const one = placed[first];
      for (let second = first + 1; second < placed.length && placed[second].box.top < one.box.bottom; second++) {
        const other = placed[second];
        if (one.owner === other.owner || (!one.text && one.owner.contains(other.owner)) || (!other.text && other.owner.contains(one.owner))) continue;
        const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        const least = Math.min(one.box.bottom - one.box.top, other.box.bottom - other.box.top);
        if (wide > 2 && high > least * 0.4) fault(`${named(one.owner)} and ${named(other.owner)} overlap`);
      }
    }
  }
  frame.remove();
  return [...found].map(([sentence, at]) => `${path}${open ? ', open' : ''}: ${sentence} at ${at.length > 3 ? `${at[0]} … ${at.at(-1)} (${at.length} widths)` : at.join(', ')} px`);
}

/** Runs in the page: the parts that cover it although it was scrolled. */
export function coveringParts(): string[] {
  scrollTo(0, 200);
  return [...document.body.querySelectorAll('*')]
    .filter((element) => ['sticky', 'fixed'].includes(getComputedStyle(element).position) && element.checkVisibility())
    .filter((element) => {
      const { top, bottom, width } = element.getBoundingClientRect();
      return width > 1 && bottom > 0 && top < innerHeight;
    })
    .map((element) => `<${element.localName} class="${element.className}"> covers ${location.pathname} at ${innerWidth} × ${innerHeight}`);
}
