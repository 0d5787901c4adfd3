-- Blocks that Quarto knows and pandoc's writers do not: callouts, tabsets, folded code, layouts. Each
-- function takes what numbers the blocks inside, and returns blocks.

local common, checks = ...
local is_html = common.is_html
local escape = common.escape
local plain = common.plain
local quoted = common.quoted
local raw = common.raw
local raw_inline = common.raw_inline
local refuse = common.refuse
local with_prefix = common.with_prefix

local blocks = {}
local callouts = { note = 'Note', tip = 'Tip', warning = 'Warning', important = 'Important',
                   caution = 'Caution' }
local tabsets = 0

-- Blocks side by side.
function blocks.grid(blocks, columns)
  local out = pandoc.Blocks {}
  if is_html then
    out:insert(raw('<div class="layout" style="--columns: ' .. columns .. '">'))
    for _, block in ipairs(blocks) do out:insert(pandoc.Div { block }) end
    out:insert(raw '</div>')
  else
    out:insert(raw('#grid(columns: (1fr,) * ' .. columns .. ', gutter: 1em, ['))
    for i, block in ipairs(blocks) do
      if i > 1 then out:insert(raw '], [') end
      out:insert(block)
    end
    out:insert(raw '])')
  end
  return out
end

-- A block that keeps its identifier, so that links find it.
local function named(el, out)
  return el.identifier ~= '' and pandoc.Blocks { pandoc.Div(out, pandoc.Attr(el.identifier)) } or out
end

-- The text of a title that was a heading, with the heading's identifier.
local function title_of(header)
  if header.identifier == '' then return header.content end
  return pandoc.Inlines { pandoc.Span(header.content, pandoc.Attr(header.identifier)) }
end

function blocks.callout(el, numbering)
  local kind, content, title = checks.callout_of(el), el.content, nil
  if el.attributes.title then
    -- Behind a word nothing begins a list or a heading.
    title = pandoc.utils.blocks_to_inlines(pandoc.read('x ' .. el.attributes.title, 'markdown').blocks)
    title:remove(1)
    title:remove(1)
  elseif content[1] and content[1].t == 'Header' then
    title = title_of(content[1])
    content:remove(1)
  end
  content = content:walk(numbering)
  local word, collapse = callouts[kind], el.attributes.collapse
  local out = pandoc.Blocks {}
  if is_html then
    local heading = pandoc.Inlines { raw_inline('<span class="callout-kind">' .. word .. '</span>') }
    if title then heading:extend(with_prefix('', title)) end
    local outer = collapse and 'details' or 'aside'
    local inner = collapse and 'summary' or 'p'
    local state = collapse == 'false' and ' open' or ''
    local name = collapse and '' or ' aria-label="' .. word .. escape(title and ': ' .. plain(title) or '') .. '"'
    out:insert(raw('<' .. outer .. ' class="callout callout-' .. kind .. '"' .. state .. name .. '>'))
    heading:insert(1, raw_inline('<' .. inner .. ' class="callout-title">'))
    heading:insert(raw_inline('</' .. inner .. '>'))
    out:insert(pandoc.Plain(heading))
    out:insert(raw '<div class="callout-body">')
    out:extend(content)
    out:insert(raw('</div></' .. outer .. '>'))
  else
    out:insert(raw('#callout(' .. quoted(kind) .. ', ' .. quoted(word) .. (title and ', [' or ', none, [')))
    if title then
      out:insert(pandoc.Plain(title))
      out:insert(raw '], [')
    end
    out:extend(content)
    out:insert(raw '])')
  end
  return named(el, out)
end

-- The tabs of a tabset: what stands under each heading of its first heading's level.
local function tabs_of(el)
  local first = el.content[1]
  if first == nil or first.t ~= 'Header' then
    refuse('panel-tabset', 'a tabset begins with the heading of its first tab.')
  end
  local tabs = {}
  for _, block in ipairs(el.content) do
    if block.t == 'Header' and block.level == first.level then
      table.insert(tabs, { title = title_of(block), blocks = pandoc.Blocks {} })
    else
      tabs[#tabs].blocks:insert(block)
    end
  end
  return tabs
end

function blocks.tabset(el, inside)
  tabsets = tabsets + 1
  local name = 'tabset-' .. tabsets
  local out = pandoc.Blocks {}
  if is_html then
    out:insert(raw '<div class="panel-tabset" role="group" aria-label="Choose a view">')
  end
  for i, tab in ipairs(tabs_of(el)) do
    if is_html then
      local id = name .. '-' .. i
      local label = pandoc.Inlines { raw_inline('<label for="' .. id .. '">') }
      label:extend(tab.title)
      label:insert(raw_inline '</label>')
      out:insert(raw('<input type="radio" name="' .. name .. '" id="' .. id .. '"' ..
                     (i == 1 and ' checked' or '') .. '>'))
      out:insert(pandoc.Plain(label))
      out:insert(raw '<div class="tab-pane">')
    else
      out:insert(raw '#block(sticky: true)[')
      out:insert(pandoc.Plain { pandoc.Strong(tab.title) })
      out:insert(raw ']')
    end
    out:extend(inside(tab.blocks, el.content[1].level))
    if is_html then out:insert(raw '</div>') end
  end
  if is_html then out:insert(raw '</div>') end
  return named(el, out)
end

function blocks.folded(el)
  if not is_html then return el.content end
  local state = el.attributes.state == 'open' and ' open' or ''
  local out = pandoc.Blocks { raw('<details class="code-fold"' .. state .. '><summary>' ..
                                  escape(el.attributes.summary) .. '</summary>') }
  out:extend(el.content)
  out:insert(raw '</details>')
  return out
end

return blocks
