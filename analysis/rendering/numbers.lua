-- Numbers: figures and their parts, tables, equations, sections, in the order of the page; and the
-- captions that carry them. Both formats count here, so that they count alike.

local common, blocks, checks = ...
local caption_of = common.caption_of
local inlines_of = common.inlines_of
local is_html = common.is_html
local nbsp = common.nbsp
local plain = common.plain
local raw = common.raw
local refuse = common.refuse
local with_prefix = common.with_prefix

local numbers = { targets = {} }  -- label -> { text = "Figure 1", number = "1" }
local targets = numbers.targets
local counts = { fig = 0, tbl = 0, eq = 0 }
local words = { fig = 'Figure', tbl = 'Table', sec = 'Section', eq = 'Equation' }
local numbering

function numbers.kind_of(label)
  local kind = label:match '^(%a+)%-'
  return words[kind] and kind or nil
end

local kind_of = numbers.kind_of

local function register(label, number)
  local kind = kind_of(label)
  if targets[label] then refuse('#' .. label, 'the identifier "' .. label .. '" is there twice.') end
  targets[label] = { number = number, text = words[kind] .. nbsp .. number }
end

local function count(label)
  local kind = kind_of(label)
  counts[kind] = counts[kind] + 1
  register(label, tostring(counts[kind]))
  return targets[label].text
end

-- Whether an inline is the mark that weave.py puts before a caption, whatever that begins with.
local function is_mark(inline)
  return inline.t == 'Span' and inline.classes:includes 'woven-caption'
end

-- Blocks and the inlines of the last one where it is a paragraph: the way Quarto captions a div.
local function split_caption(label, content)
  local last = content[#content]
  if last == nil or (last.t ~= 'Para' and last.t ~= 'Plain') or #content < 2 then
    refuse('#' .. label, label .. ' has no caption: it is the last paragraph of the div.')
  end
  local rest = pandoc.Blocks {}
  for i = 1, #content - 1 do rest:insert(content[i]) end
  local caption = last.content
  if is_mark(caption[1]) then
    caption:remove(1)
    if #caption > 0 then caption:remove(1) end
  end
  return rest, caption
end

-- Whether a paragraph holds pictures and nothing else.
local function only_pictures(block)
  if block.t ~= 'Para' and block.t ~= 'Plain' then return false end
  for _, inline in ipairs(block.content) do
    if inline.t ~= 'Image' and inline.t ~= 'Space' and inline.t ~= 'SoftBreak' then return false end
  end
  return true
end

-- A part of a figure with its letter, its identifier and its caption.
local function lettered(label, index, id, content, caption)
  if index > 26 then refuse('#' .. label, label .. ' has more than 26 parts with a letter.') end
  local letter = '(' .. string.char(96 + index) .. ')'
  id = id ~= '' and id or label .. '-' .. index
  local number = targets[label].number .. nbsp .. letter
  if targets[id] then refuse('#' .. id, 'the identifier "' .. id .. '" is there twice.') end
  targets[id] = { number = number, text = words.fig .. nbsp .. number }
  return pandoc.Figure(content, caption_of(with_prefix(letter, caption)), pandoc.Attr(id))
end

-- What a figure's div holds, in order: its pictures, each a block of its own, lettered where it has a label
-- or a caption; anything else as it is. The third value says whether there is something else.
local function parts_of(label, content)
  local found, letters, pictures, other = pandoc.Blocks {}, 0, 0, false
  for _, block in ipairs(content) do
    if block.t == 'Figure' then
      letters, pictures = letters + 1, pictures + 1
      found:insert(lettered(label, letters, block.identifier, block.content, inlines_of(block.caption)))
    elseif block.t == 'Div' and block.classes:includes 'woven-part' then
      letters, pictures = letters + 1, pictures + 1
      local inner, caption = split_caption(block.identifier, block.content)
      found:insert(lettered(label, letters, block.identifier, inner, caption))
    elseif only_pictures(block) then
      for _, inline in ipairs(block.content) do
        if inline.t == 'Image' then
          pictures = pictures + 1
          found:insert(pandoc.Plain { inline })
        end
      end
    else
      other = true
      block:walk { Image = function() pictures = pictures + 1 end }
      found:extend(pandoc.Blocks { block }:walk(numbering))
    end
  end
  return found, pictures, other
end

local function figure_div(el)
  local content, caption = split_caption(el.identifier, el.content)
  local text = count(el.identifier)
  local parts, pictures, other = parts_of(el.identifier, content)
  if pictures == 0 then refuse('#' .. el.identifier, el.identifier .. ' holds no picture.') end
  local columns = tonumber(el.attributes['layout-ncol']) or 1
  if other and columns > 1 then
    refuse('#' .. el.identifier, el.identifier .. ' sets pictures side by side and holds something else too.')
  end
  local body = #parts > 1 and not other and blocks.grid(parts, math.min(columns, #parts)) or parts
  return pandoc.Figure(body, caption_of(with_prefix(text .. ':', caption)), pandoc.Attr(el.identifier))
end

local function table_div(el)
  local content, caption = split_caption(el.identifier, el.content)
  local text, found = count(el.identifier), 0
  content = content:walk {
    Table = function(inner)
      found = found + 1
      if #inner.caption.long > 0 then
        refuse('#' .. el.identifier, el.identifier .. ' has two captions, its own and the table\'s.')
      end
      inner.identifier = el.identifier
      inner.caption = caption_of(with_prefix(text .. ':', caption))
      return inner
    end,
  }
  if found ~= 1 then
    refuse('#' .. el.identifier, el.identifier .. ' should hold one table, and holds ' .. found .. '.')
  end
  return content
end

local function equation(math, label)
  local text = count(label)
  local number = '(' .. targets[label].number .. ')'
  if is_html then
    local mark = pandoc.Span({ pandoc.Str(number) }, pandoc.Attr('', { 'equation-number' }))
    local attributes = { { 'role', 'group' }, { 'aria-label', text } }  -- pairs: a table has no order
    return pandoc.Blocks { pandoc.Div({ pandoc.Plain { math, mark } },
                                      pandoc.Attr(label, { 'equation' }, attributes)) }
  end
  return pandoc.Blocks {
    raw '#block(width: 100%)[#grid(columns: (1fr, auto), align: (center + horizon, right + horizon), [',
    pandoc.Plain { math }, raw('], [' .. number .. '])] <' .. label .. '>'),
  }
end

-- A paragraph cut at each display equation that has a label behind it.
local function equations(el)
  local out, rest = pandoc.Blocks {}, pandoc.Inlines {}
  local function flush()
    if #plain(rest):gsub('%s', '') > 0 then out:insert(pandoc.Para(rest)) end
    rest = pandoc.Inlines {}
  end
  local i, found = 1, false
  while i <= #el.content do
    local at = el.content[i]
    local step = el.content[i + 1] and el.content[i + 1].t ~= 'Str' and 2 or 1
    local mark = el.content[i + step]
    local label = at.t == 'Math' and mark and mark.t == 'Str' and mark.text:match '^{#(eq%-[%w_-]+)}'
    if label then
      flush()
      found = true
      out:extend(equation(at, label))
      local tail = mark.text:gsub('^{#eq%-[%w_-]+}', '')
      if tail ~= '' then rest:insert(pandoc.Str(tail)) end
      i = i + step + 1
    else
      rest:insert(at)
      i = i + 1
    end
  end
  if not found then return nil end
  flush()
  return out
end

local sections = {}
local last_level, in_tab = 0, false  -- the first heading is of level 2, a section

-- The heading as its source says it, as far as that has no marks in it.
local function start_of(el)
  return '# ' .. (plain(el.content):match '^[%w%s,.:;?!()-]+' or '')
end

local function heading(el)
  local level = el.level - 1
  if el.level == 1 then
    refuse(start_of(el), 'a heading of level 1 is the page\'s title; sections begin with ##.')
  end
  if level > last_level + 1 then
    refuse(start_of(el), 'the heading "' .. plain(el.content) .. '" skips a level.')
  end
  last_level = level
  if numbers.numbered and not in_tab and not el.classes:includes 'unnumbered' then
    sections[level] = (sections[level] or 0) + 1
    for deeper = level + 1, 6 do sections[deeper] = nil end
    local number = tostring(sections[1] or 0)
    for i = 2, level do number = number .. '.' .. (sections[i] or 0) end
    if kind_of(el.identifier) == 'sec' then register(el.identifier, number) end
    local mark = pandoc.Span({ pandoc.Str(number) }, pandoc.Attr('', { 'header-section-number' }))
    el.content:insert(1, pandoc.Space())
    el.content:insert(1, mark)
  elseif kind_of(el.identifier) == 'sec' then
    targets[el.identifier] = { unnumbered = true }
  end
  if not is_html then el.level = level end
  return el, false
end

-- What stands in a tab: its headings follow the tab's own and have no number.
local function tab(content, level)
  local before, outside = last_level, in_tab
  last_level, in_tab = level - 1, true
  content = content:walk(numbering)
  last_level, in_tab = before, outside
  return content
end

numbering = {
  traverse = 'topdown',
  Div = function(el)
    local kind = kind_of(el.identifier)
    if kind == 'fig' then return figure_div(el), false end
    if kind == 'tbl' then return table_div(el), false end
    if checks.callout_of(el) then return blocks.callout(el, numbering), false end
    if el.classes:includes 'panel-tabset' then return blocks.tabset(el, tab), false end
    if el.classes:includes 'woven-fold' then return blocks.folded(el), false end
    if el.classes:includes 'woven-output' then
      el.classes = el.classes:map(function(class) return (class:gsub('^woven%-', 'cell-')) end)
      return el
    end
    if el.attributes['layout-ncol'] then
      return blocks.grid(el.content:walk(numbering), el.attributes['layout-ncol']), false
    end
  end,
  Figure = function(el)
    if kind_of(el.identifier) == 'fig' then
      local text = count(el.identifier)
      local caption = inlines_of(el.caption)
      el.caption = caption_of(with_prefix(text .. ':', caption))
    end
    return el, false
  end,
  Table = function(el)
    if kind_of(el.identifier) == 'tbl' then
      local text = count(el.identifier)
      local caption = inlines_of(el.caption)
      if #caption == 0 then refuse('#' .. el.identifier, el.identifier .. ' has no caption.') end
      el.caption = caption_of(with_prefix(text .. ':', caption))
    end
    return el, false
  end,
  Para = equations,
  Plain = equations,
  Header = heading,
}

numbers.numbering = numbering
return numbers
