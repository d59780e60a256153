using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>Which fields a filter and a grouping read, and whether a rollup's groups determine them.</summary>
internal sealed class RollupFields
{
    /// <summary>Attributes read from record or resource, whichever has it: determined where no record has the key.</summary>
    private readonly HashSet<string> _anyKeys = new(StringComparer.Ordinal);

    private bool _determined = true;
    private bool _readsName;
    private bool _readsOtherThanService;

    private RollupFields()
    {
    }

    public bool FilterReadsName { get; private set; }

    public bool FilterReadsResource { get; private set; }

    /// <summary>The view with the fewest groups that determine the fields.</summary>
    public RollupView View => (_readsName, _readsOtherThanService) switch
    {
        (true, true) => RollupView.Resource,
        (true, false) => RollupView.Operation,
        (false, true) => RollupView.Instance,
        (false, false) => RollupView.Service,
    };

    /// <summary>Null when no rollup can answer.</summary>
    public static RollupFields? Of(Filter filter, IEnumerable<Field> groupBy)
    {
        var fields = new RollupFields();
        fields.Visit(filter);
        foreach (var field in groupBy)
        {
            // Which root, and which parent, a rollup does not know.
            fields._determined &= field.Intrinsic != Intrinsic.ParentSpanId;
            fields.Visit(field, ofFilter: false);
        }
        return fields._determined ? fields : null;
    }

    public static bool ReadsName(Field field) => field.Intrinsic == Intrinsic.Name;

    public static bool ReadsResource(Field field) => field.Scope is FieldScope.Resource or FieldScope.Any;

    /// <summary>Whether the source's own attributes stand in the way.</summary>
    public bool AreDeterminedIn(RowSource source)
    {
        if (_anyKeys.Count > 0)
        {
            foreach (var name in source.AttributeNames)
            {
                if (name.Scope == FieldScope.Record && _anyKeys.Contains(name.Key))
                {
                    return false;
                }
            }
        }
        return true;
    }

    private void Visit(Filter filter)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (filter)
        {
            case AllFilter:
                break;
            case AndFilter and:
                foreach (var operand in and.Filters)
                {
                    Visit(operand);
                }
                break;
            case OrFilter or:
                foreach (var operand in or.Filters)
                {
                    Visit(operand);
                }
                break;
            case NotFilter not:
                Visit(not.Operand);
                break;
            case ComparisonFilter { Field.Intrinsic: Intrinsic.ParentSpanId } comparison:
                _determined &= comparison is { Operator: ComparisonOperator.Equal or ComparisonOperator.NotEqual, Value.Type: AttributeType.String } && comparison.Value.Content.IsEmpty;
                break;
            case ExistsFilter { Field.Intrinsic: Intrinsic.ParentSpanId }:
                break;
            case ComparisonFilter comparison:
                Visit(comparison.Field, ofFilter: true);
                break;
            case ExistsFilter exists:
                Visit(exists.Field, ofFilter: true);
                break;
            case RegexFilter regex:
                Visit(regex.Field, ofFilter: true);
                break;
            case ContainsFilter contains:
                Visit(contains.Field, ofFilter: true);
                break;
            case TextEqualFilter text:
                foreach (var scope in text.Scopes)
                {
                    Visit(Field.Attribute(scope, text.Key), ofFilter: true);
                }
                break;
            default:
                _determined = false;
                break;
        }
    }

    private void Visit(Field field, bool ofFilter)
    {
        FilterReadsName |= ofFilter && ReadsName(field);
        FilterReadsResource |= ofFilter && ReadsResource(field);
        _readsName |= ReadsName(field);
        _readsOtherThanService |= ReadsResource(field) && field.Key != "service.name";
        switch (field.Scope)
        {
            case FieldScope.Resource:
                break;
            case FieldScope.Any:
                _anyKeys.Add(field.Key);
                break;
            case FieldScope.Intrinsic when field.Intrinsic is Intrinsic.Name or Intrinsic.Kind or Intrinsic.Status:
                break;
            default:
                _determined = false;
                break;
        }
    }
}
