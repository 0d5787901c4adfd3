-- What an element may carry. A class, an attribute or a kind of text that one of the two formats would lose,
-- or that means something to Quarto and nothing here, stops the render. Pandoc's parse is asked, not the
-- text, so that a block quotation and a `<div>` are seen as well.

local common = ...
local plain = common.plain
local refuse = common.refuse

local checks = {}
local callouts = { note = true, tip = true, warning = true, important = true, caution = true }
local mine = '^woven%-'

-- Quarto's own meanings, which a browser or a page of paper would not see.
local not_honoured = { '^column', '^content%-', '^panel%-', '^g%-col%-', '^grid$', '^aside$', '^margin%-',
                       '^incremental$', '^landscape$', '^hidden$', '^fig%-', '^layout%-', '^proof$', '^remark$',
                       '^solution$', '^cell', '^code%-fold$', '^kbd$', '^quarto%-', '^theorem$', '^lightbox$' }
-- The identifiers of the template and of pandoc's notes and references.
local reserved = { '^Main$', '^TOC$', '^TOC%-title$', '^toc%-', '^tabset%-%d', '^footnotes$', '^fn%d', '^fnref%d',
                   '^ref%-', '^cb%d', '^quarto%-bibliography$' }

local function any(patterns, name)
  for _, pattern in ipairs(patterns) do
    if name:match(pattern) then return true end
  end
  return false
end

-- Refuses what `allowed` does not name; `allowed.classes` is a test of a class.
local function carried(el, what, allowed)
  for _, class in ipairs(el.classes) do
    if not class:match(mine) and not (allowed.classes and allowed.classes(class)) then
      refuse(class, 'the class \'' .. class .. '\' is not honoured on ' .. what .. '.')
    end
  end
  for name, value in pairs(el.attributes) do
    if not allowed[name] and not (allowed.aria and name:match '^aria%-') then
      refuse(name .. '=\t' .. value, 'the attribute \'' .. name .. '\' is not honoured on ' .. what .. '.')
    end
  end
end

local function own(class) return not any(not_honoured, class) end

-- A callout's kind, or nil where the div is none.
function checks.callout_of(el)
  for _, class in ipairs(el.classes) do
    local name = class:match '^callout%-?(.*)$'
    if name and not callouts[name] then
      refuse(class, 'the callout \'' .. class .. '\' is not honoured; honoured are note, tip, warning, important, caution.')
    end
    if name then return name end
  end
end

local function div(el)
  local id, columns, collapse = el.identifier, el.attributes['layout-ncol'], el.attributes.collapse
  if checks.callout_of(el) then
    carried(el, 'a callout', { classes = function(class) return class:match '^callout%-' end,
                               title = true, collapse = true })
    if collapse and collapse ~= 'true' and collapse ~= 'false' then
      refuse('collapse=\t' .. collapse, '"collapse" should be true or false, not ' .. collapse .. '.')
    end
  elseif el.classes:includes 'panel-tabset' then
    carried(el, 'a tabset', { classes = function(class) return class == 'panel-tabset' end })
  elseif el.classes:includes 'woven-fold' then
    return
  elseif id:match '^fig%-' then
    carried(el, 'a figure', { ['layout-ncol'] = true })
  elseif id:match '^tbl%-' then
    carried(el, 'a table', {})
  else
    carried(el, 'a div', { classes = own, ['layout-ncol'] = true, lang = true, role = true, aria = true })
  end
  if columns and not columns:match '^[1-9]%d*$' then
    refuse('layout-ncol=\t' .. columns, '"layout-ncol" should be a whole number, not ' .. columns .. '.')
  end
end

local function raw(el)
  local rest = el.format == 'html' and el.text:gsub('<!%-%-.-%-%->', ''):match '^%s*$'
  if rest then return {} end
  refuse(el.text:match '[^\n]+', 'raw ' .. el.format .. ' is not honoured: it would be lost in the other format.')
end

-- A cell or an expression that was not run is still there as code.
local function not_run(text)
  if text:match '^{%w+}' then
    refuse(text:match '^{%w+}', 'this ' .. text:match '^{%w+}' .. ' was not run: an expression stands on one line, ' ..
           'with a blank behind the braces, and a cell at the start of a line, in no quotation or list.')
  end
end

local function table_block(el)
  carried(el, 'a table', {})
end

checks.walk = {
  RawBlock = raw,
  RawInline = raw,
  Str = function(el)
    local note = el.text:match '%[%^[^%]%s]+%]'
    if note then refuse(note, 'the footnote ' .. note .. ' has no text.') end
    if el.text:match '^:::' then
      refuse(el.text, 'this div fence was not understood; an empty line before it may be missing.')
    end
    -- Attributes in braces that pandoc attached to nothing stand in the text.
    if el.text:match '^{[#.]%w' and not el.text:match '^{#eq%-' then
      refuse(el.text, 'the attributes ' .. el.text .. ' belong to nothing.')
    end
  end,
  Div = div,
  Header = function(el)
    local start = '# ' .. (plain(el.content):match '^[%w%s,.:;?!()-]+' or '')
    for _, class in ipairs(el.classes) do
      if class ~= 'unnumbered' and class ~= 'unlisted' then
        refuse(start, 'the class \'' .. class .. '\' is not honoured on a heading.')
      end
    end
    carried(el, 'a heading', { classes = own })
  end,
  Span = function(el) carried(el, 'a span', { classes = own, lang = true, role = true, aria = true }) end,
  Link = function(el)
    carried(el, 'a link', { classes = function(class) return class == 'uri' or class == 'email' end })
  end,
  Image = function(el) carried(el, 'an image', { ['fig-alt'] = true, alt = true, width = true }) end,
  Table = table_block,
  Figure = table_block,
  Code = function(el)
    not_run(el.text)
    carried(el, 'code', { classes = own })
  end,
  CodeBlock = function(el)
    not_run(el.text)
    local function shown(class)
      if class:match '^{' then not_run(class) end
      return class == 'cell-code' or (own(class) and not class:lower():match '^number%-?lines$' and
                                      not class:lower():match '^line%-?anchors$')
    end
    carried(el, 'a code block', { classes = shown })
  end,
}

-- Every identifier once, and none that the page around the text has.
function checks.unique(doc)
  local seen = {}
  local function see(el)
    local id = el.identifier
    if id == nil or id == '' then return end
    local wanted = '#' .. id .. (el.t == 'Header' and '\n# ' .. plain(el.content) or '')
    if any(reserved, id) then refuse(wanted, 'the identifier "' .. id .. '" is the template\'s; choose another.') end
    if seen[id] then refuse(wanted, 'the identifier "' .. id .. '" is there twice.') end
    seen[id] = true
  end
  doc.blocks:walk { Block = see, Inline = see }
  return seen
end

return checks
